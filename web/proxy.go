package web

import (
	"net"
	"net/netip"
	"strings"
)

// proxies knows whose forwarding headers are believed.
type proxies []netip.Prefix

func (p proxies) trusts(addr netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// client gives the address of who sent a request: that of the connection, or,
// where that is a trusted proxy's, the last one in X-Forwarded-For that no
// trusted proxy added. Whatever stands before it was made up by the client.
// forwarded holds the header's lines in order.
func (p proxies) client(remote net.Addr, forwarded []string) netip.Addr {
	addr := remoteAddr(remote)
	if len(forwarded) == 0 || !p.trusts(addr) {
		return addr
	}
	for i := len(forwarded) - 1; i >= 0; i-- {
		line := forwarded[i]
		for line != "" {
			var hop string
			if comma := strings.LastIndexByte(line, ','); comma >= 0 {
				hop, line = line[comma+1:], line[:comma]
			} else {
				hop, line = line, ""
			}
			next, ok := parseHop(hop)
			if !ok {
				return addr
			}
			if addr = next; !p.trusts(addr) {
				return addr
			}
		}
	}
	return addr
}

// secure reports whether a trusted proxy says that the client used TLS.
func (p proxies) secure(remote net.Addr, proto string) bool {
	return strings.EqualFold(proto, "https") && p.trusts(remoteAddr(remote))
}

// parseHop reads an address with or without port and brackets.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return addr.Unmap().WithZone(""), true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

// remoteAddr gives a connection's address, the zero Addr where it has none.
func remoteAddr(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
