package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

func withLimit(n int, window time.Duration) func(*settings) {
	return func(s *settings) { s.opts.RateLimit = RateLimit{Enabled: true, Requests: n, Window: window} }
}

func TestRateLimitOverHTTP(t *testing.T) {
	w := newWorld(t, withLimit(5, time.Hour))
	o := w.tenant() // the operator creates; the sign-in counts
	used := 1       // the sign-in
	login := func() answer {
		return w.do("POST", "/v1/auth/login", "", object{"email": "nobody@x.example", "password": "wrong"})
	}
	for ; used < 5; used++ {
		a := login()
		w.expect(a, 401, "credentials_invalid")
		if a.header.Get("RateLimit-Limit") != "5" || a.header.Get("RateLimit-Remaining") != strconv.Itoa(4-used) {
			t.Error(a)
		}
		if reset, err := strconv.Atoi(a.header.Get("RateLimit-Reset")); err != nil || reset < 1 || reset > 3600 {
			t.Error(a)
		}
	}
	for _, route := range []string{"POST /v1/auth/login", "POST /v1/auth/refresh", "POST /v1/auth/logout", "POST /admin/login", "POST /org/create",
		"POST /v1/organizations", "GET /org/get?organization_name=x"} {
		method, path, _ := strings.Cut(route, " ")
		a := w.do(method, path, "", nil)
		w.expect(a, 429, "rate_limited")
		if retry, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || retry < 1 || retry > 720 || a.header.Get("RateLimit-Remaining") != "0" {
			t.Error(route, a)
		}
	}
	// Nobody guesses tokens without end either.
	w.expect(w.do("GET", "/v1/me", "rubbish", nil), 429, "rate_limited")
	w.expect(w.do("GET", "/v1/me", "", nil), 429, "rate_limited")
	// Who has shown who they are is not held up by who shares their address.
	if a := w.do("GET", "/v1/me", o.token, nil); a.status != 200 || a.header.Get("RateLimit-Limit") != "" {
		t.Error(a)
	}
	if a := w.do("POST", "/v1/organizations", o.token, object{"name": "More of " + o.name}); a.status != 201 {
		t.Error(a)
	}
	for _, path := range []string{"/healthz", "/readyz", "/health", "/docs", "/openapi.json", "/", "/errors", "/.well-known/jwks.json"} {
		if a := w.do("GET", path, "", nil); a.status != 200 {
			t.Error(path, a)
		}
	}
}

func TestForwardedAddressesAreBelievedFromProxiesAlone(t *testing.T) {
	login := func(w *world, forwarded ...string) answer {
		return w.do("POST", "/v1/auth/refresh", "", object{"refresh_token": "x"}, func(r *http.Request) {
			r.Header["X-Forwarded-For"] = forwarded
		})
	}
	t.Run("no proxy is trusted", func(t *testing.T) {
		w := newWorld(t, withLimit(3, time.Hour))
		for i := range 3 {
			w.expect(login(w, fmt.Sprintf("203.0.113.%d", i)), 401, "refresh_invalid")
		}
		w.expect(login(w, "203.0.113.99"), 429, "rate_limited")
	})
	t.Run("the test is a trusted proxy", func(t *testing.T) {
		w := newWorld(t, withLimit(1, time.Hour), func(s *settings) {
			s.opts.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
		})
		w.expect(login(w, "203.0.113.1"), 401, "refresh_invalid")
		w.expect(login(w, "203.0.113.1"), 429, "rate_limited")
		w.expect(login(w, "203.0.113.2"), 401, "refresh_invalid")
		// Made up by the client, the last is the proxy's word.
		w.expect(login(w, "198.51.100.7, 203.0.113.1"), 429, "rate_limited")
		w.expect(login(w, "198.51.100.7", "203.0.113.2, 10.1.2.3"), 429, "rate_limited")
		w.expect(login(w, "2001:db8::1"), 401, "refresh_invalid")
		w.expect(login(w, "2001:db8::ffff:1:2"), 429, "rate_limited") // the same /64
		w.expect(login(w, "2001:db8:0:1::1"), 401, "refresh_invalid")
	})
}

func TestClientAddress(t *testing.T) {
	trusted := proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	from := func(s string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(s), Port: 1234} }
	for name, c := range map[string]struct {
		remote    net.Addr
		forwarded []string
		want      string
	}{
		"none":                     {from("10.0.0.1"), nil, "10.0.0.1"},
		"not trusted":              {from("192.0.2.1"), []string{"203.0.113.1"}, "192.0.2.1"},
		"trusted":                  {from("10.0.0.1"), []string{"203.0.113.1"}, "203.0.113.1"},
		"mapped remote":            {from("::ffff:10.0.0.1"), []string{"203.0.113.1"}, "203.0.113.1"},
		"mapped hop":               {from("10.0.0.1"), []string{"::ffff:203.0.113.1"}, "203.0.113.1"},
		"several hops":             {from("10.0.0.1"), []string{"6.6.6.6, 203.0.113.1, 10.0.0.2,fd00::1"}, "203.0.113.1"},
		"several lines":            {from("10.0.0.1"), []string{"6.6.6.6", "203.0.113.1", "10.0.0.2"}, "203.0.113.1"},
		"all trusted":              {from("10.0.0.1"), []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"with port":                {from("10.0.0.1"), []string{"203.0.113.1:55555"}, "203.0.113.1"},
		"IPv6 with port":           {from("10.0.0.1"), []string{"[2001:db8::1]:443"}, "2001:db8::1"},
		"IPv6 in brackets":         {from("10.0.0.1"), []string{"[2001:db8::1]"}, "2001:db8::1"},
		"zone":                     {from("10.0.0.1"), []string{"fe80::1%eth0"}, "fe80::1"},
		"white space":              {from("10.0.0.1"), []string{" \t203.0.113.1 , 10.0.0.2 "}, "203.0.113.1"},
		"garbage":                  {from("10.0.0.1"), []string{"unknown"}, "10.0.0.1"},
		"garbage before a hop":     {from("10.0.0.1"), []string{"garbage, 10.0.0.2"}, "10.0.0.2"},
		"empty":                    {from("10.0.0.1"), []string{""}, "10.0.0.1"},
		"only commas":              {from("10.0.0.1"), []string{",,,"}, "10.0.0.1"},
		"empty member":             {from("10.0.0.1"), []string{"6.6.6.6,,10.0.0.2"}, "10.0.0.2"},
		"not an address at all":    {&net.UnixAddr{Name: "/tmp/x"}, []string{"203.0.113.1"}, "invalid IP"},
		"a name":                   {from("10.0.0.1"), []string{"proxy.example"}, "10.0.0.1"},
		"octal is no address":      {from("10.0.0.1"), []string{"0203.0.113.1"}, "10.0.0.1"},
		"trusted IPv6 remote":      {from("fd00::5"), []string{"203.0.113.1"}, "203.0.113.1"},
		"header injection":         {from("10.0.0.1"), []string{"203.0.113.1\r\nX: y"}, "10.0.0.1"},
		"nothing of a longer list": {from("10.0.0.1"), []string{"203.0.113.1, 203.0.113.2"}, "203.0.113.2"},
	} {
		if got := trusted.client(c.remote, c.forwarded).String(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if trusted.secure(from("192.0.2.1"), "https") || !trusted.secure(from("10.0.0.1"), "HTTPS") || trusted.secure(from("10.0.0.1"), "http") {
		t.Error("X-Forwarded-Proto is believed from the wrong ones")
	}
}

func TestLimiterArithmetic(t *testing.T) {
	l := newLimiter(RateLimit{Enabled: true, Requests: 3, Window: 30 * time.Second, MaxAddresses: 100})
	addr, now := netip.MustParseAddr("192.0.2.1"), time.Unix(1000, 0)
	for want := 2; want >= 0; want-- {
		if v := l.take(addr, now); !v.ok || v.remaining != want || v.limit != 3 {
			t.Fatalf("%+v, want %d left", v, want)
		}
	}
	v := l.take(addr, now)
	if v.ok || v.retry != 10*time.Second || v.reset != 30*time.Second || v.remaining != 0 {
		t.Fatalf("%+v", v)
	}
	// Being refused costs nothing, and one comes back each ten seconds.
	for range 10 {
		l.take(addr, now)
	}
	if v := l.take(addr, now.Add(9999*time.Millisecond)); v.ok {
		t.Fatalf("%+v", v)
	}
	if v := l.take(addr, now.Add(10*time.Second)); !v.ok {
		t.Fatalf("%+v", v)
	}
	if v := l.take(netip.MustParseAddr("192.0.2.2"), now); !v.ok || v.remaining != 2 {
		t.Fatalf("another address pays for the first: %+v", v)
	}
	if newLimiter(RateLimit{Requests: 3}) != nil {
		t.Error("a limit that is off limits")
	}
}

func TestLimiterMemoryIsBounded(t *testing.T) {
	const most = 1000
	l := newLimiter(RateLimit{Enabled: true, Requests: 5, Window: time.Minute, MaxAddresses: most})
	now := time.Unix(1000, 0)
	for i := range 50_000 {
		l.take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now.Add(time.Duration(i)*time.Microsecond))
		var six [16]byte
		six[0], six[5], six[6], six[7], six[15] = 0x20, byte(i>>16), byte(i>>8), byte(i), byte(i)
		l.take(netip.AddrFrom16(six), now)
	}
	kept := 0
	for i := range l.shards {
		kept += len(l.shards[i].paid)
	}
	if kept > most+limiterShards {
		t.Errorf("%d addresses are kept, more than %d", kept, most)
	}
	if a, b := limiterKey(netip.MustParseAddr("2001:db8::1")), limiterKey(netip.MustParseAddr("2001:db8::2:3:4:5")); a != b {
		t.Error("one /64 is counted twice")
	}
	if a, b := limiterKey(netip.MustParseAddr("::ffff:192.0.2.1")), limiterKey(netip.MustParseAddr("192.0.2.1")); a != b {
		t.Error("a mapped address is another")
	}
}
