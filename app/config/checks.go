package config

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"tenantry/app/seal"
)

// rule is what a text may be.
type rule struct {
	// allowed ends the sentence "it must be …".
	allowed string
	check   func(string) bool
}

func (r rule) refuse(s string) error {
	if r.check(s) {
		return nil
	}
	return errors.New("it must be " + r.allowed)
}

// optional takes no text as well.
func optional(r rule) rule {
	return rule{
		allowed: r.allowed + ", or empty",
		check:   func(s string) bool { return s == "" || r.check(s) },
	}
}

var (
	someText = rule{"any text but none", func(s string) bool {
		return strings.TrimSpace(s) != "" && !strings.ContainsRune(s, 0)
	}}
	address     = rule{`an address and a port, such as "127.0.0.1:8000" or ":8000"`, isAddress}
	httpURL     = rule{`a URL such as "https://orgs.example.com", with neither user nor query`, isHTTPURL}
	origin      = rule{`an origin as browsers send it, such as "https://app.example.com": lower case, without path, "*" or a default port`, isOrigin}
	network     = rule{`a network such as "10.0.0.0/8" or, for one address, "192.0.2.7/32"`, isNetwork}
	clusterName = rule{"1 to 40 lower-case letters, digits and hyphens", regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`).MatchString}
	sealKey     = rule{`32 random bytes in base64, as "openssl rand -base64 32" makes them`, isSealKey}
)

// hostname is loose: what it lets through, the system's resolver judges.
var hostname = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$`)

func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return hostname.MatchString(host)
}

func isAddress(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host != "" && !isHost(host) {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

func isHTTPURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && isHost(u.Hostname()) &&
		u.User == nil && !strings.ContainsAny(s, "?#")
}

// isOrigin takes what a browser can send: any other spelling would never match.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !isHost(u.Hostname()) {
		return false
	}
	byDefault := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	return s == u.Scheme+"://"+u.Host && s == strings.ToLower(s) && u.Port() != byDefault && !strings.HasSuffix(s, ":")
}

// isNetwork refuses IPv4 written as IPv6: clients' addresses are compared in
// their short form, and it would match none.
func isNetwork(s string) bool {
	p, err := netip.ParsePrefix(s)
	return err == nil && !p.Addr().Is4In6()
}

func isSealKey(s string) bool {
	_, err := seal.ParseKey(s)
	return err == nil
}
