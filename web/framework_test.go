package web

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// What Fiber and fasthttp answer by themselves comes in the one format, too.
func TestFrameworkErrors(t *testing.T) {
	w := newWorld(t, func(s *settings) {
		s.opts.BodyLimit, s.opts.HeaderLimit, s.opts.ReadTimeout = 64<<10, 4<<10, 500*time.Millisecond
	})
	for name, c := range map[string]struct {
		request string
		status  int
		code    string
	}{
		"no route":             {"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404, "route_not_found"},
		"another case":         {"GET /V1/me HTTP/1.1\r\nHost: x\r\n\r\n", 404, "route_not_found"},
		"no such file":         {"GET /docs/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404, "route_not_found"},
		"escaped path":         {"GET /docs/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404, "route_not_found"},
		"wrong method":         {"PUT /v1/me HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405, "method_not_allowed"},
		"OPTIONS":              {"OPTIONS /v1/me HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed"},
		"TRACE":                {"TRACE /v1/me HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed"},
		"CONNECT":              {"CONNECT /v1/me HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed"},
		"unknown method":       {"BREW /v1/me HTTP/1.1\r\nHost: x\r\n\r\n", 501, "method_unknown"},
		"lower-case method":    {"get /v1/me HTTP/1.1\r\nHost: x\r\n\r\n", 501, "method_unknown"},
		"long header":          {"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 8<<10) + "\r\n\r\n", 431, "headers_too_large"},
		"long path":            {"GET /" + strings.Repeat("x", 8<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n", 431, "headers_too_large"},
		"many headers":         {"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 2000) + "\r\n", 431, "headers_too_large"},
		"large body":           {"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n" + strings.Repeat("x", 70000), 413, "too_large"},
		"large body, no route": {"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n" + strings.Repeat("x", 70000), 413, "too_large"},
		"header that stalls":   {"GET / HTTP/1.1\r\nHost: x\r\nX: ", 408, "request_timeout"},
		"body that stalls":     {"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{", 408, "request_timeout"},
		"chunks that stall":    {"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{", 408, "request_timeout"},
		"no HTTP":              {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 0, ""},
		"bad content length":   {"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, "bad_request"},
		"two content lengths":  {"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", 400, "bad_request"},
		"space before colon":   {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, "bad_request"},
		"NUL in a header":      {"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", 400, "bad_request"},
		"bad chunk":            {"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400, "bad_request"},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.raw(c.request)
			if c.status == 0 {
				if a.status < 400 || a.header.Get("Content-Type") != problemType {
					t.Error(a)
				}
				return
			}
			w.expect(a, c.status, c.code)
			if a.header.Get("X-Request-Id") == "" || a.field("request_id") != a.header.Get("X-Request-Id") || a.header.Get("Cache-Control") != "no-store" ||
				a.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error(a)
			}
		})
	}
	// With both lengths the chunks count, and what follows is read by nobody
	// (RFC 9112, 6.3): a proxy in front may see other requests in it.
	a := w.raw("POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if a.status != 400 || a.header.Get("Connection") != "close" {
		t.Error(a)
	}
	if a := w.do("GET", "/healthz", "", nil); a.status != 200 {
		t.Error(a)
	}
}

func TestAllowNamesTheMethods(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]string{
		"/v1/me":                               "GET, HEAD",
		"/v1/organizations":                    "GET, HEAD, POST",
		"/v1/organizations/acme":               "DELETE, GET, HEAD, PATCH",
		"/v1/organizations/acme/documents":     "GET, HEAD, POST",
		"/v1/organizations/acme/documents/one": "DELETE, GET, HEAD, PATCH, PUT",
		"/v1/organizations/acme/suspend":       "POST",
		"/v1/operator-keys/one":                "DELETE",
		"/org/delete":                          "DELETE",
		"/docs":                                "GET, HEAD",
		"/":                                    "GET, HEAD",
	} {
		a := w.do("OPTIONS", path, "", nil)
		w.expect(a, 405, "method_not_allowed")
		allowed := strings.Split(strings.Join(a.header.Values("Allow"), ", "), ", ")
		slices.Sort(allowed)
		if got := strings.Join(allowed, ", "); got != want {
			t.Errorf("%s allows %q, want %q", path, got, want)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	w := newWorld(t)
	seen := map[string]bool{}
	for range 3 {
		id := w.do("GET", "/healthz", "", nil).header.Get("X-Request-Id")
		if seen[id] || !saneRequestID([]byte(id)) {
			t.Errorf("the id %q stands twice or is none", id)
		}
		seen[id] = true
	}
	for id, taken := range map[string]bool{
		"abc-1": true, "0190aaaa-0000-7000-8000-000000000000": true, "a/b+c=d@e~f:g.h_i": true, strings.Repeat("x", 128): true,
		strings.Repeat("x", 129): false, "a b": false, `a"b`: false, "a\\b": false, "a\tb": false, "é": false, "": false,
		"<script>": false, "a{b}": false, "a%0ab": false,
	} {
		a := w.do("GET", "/nowhere", "", nil, header("X-Request-Id", id))
		got := a.header.Get("X-Request-Id")
		if (got == id) != taken || a.field("request_id") != got {
			t.Errorf("%q is answered with %q", id, got)
		}
		if !strings.Contains(w.log.String(), `"request_id":"`+got+`"`) {
			t.Errorf("%q is not in the log", got)
		}
		if !taken && id != "" && strings.Contains(w.log.String(), id) {
			t.Errorf("%q is in the log", id)
		}
	}
}

func TestCommonHeaders(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	for _, path := range []string{"/healthz", "/v1/me", "/v1/organizations/" + o.slug, "/nowhere", "/docs", "/openapi.json", "/errors"} {
		a := w.do("GET", path, o.token, nil)
		if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Server") != "" || a.header.Get("X-Powered-By") != "" ||
			a.header.Get("Cache-Control") == "" || a.header.Get("Date") == "" || a.header.Get("Set-Cookie") != "" {
			t.Error(path, a)
		}
		if strings.HasPrefix(path, "/v1") && a.header.Get("Cache-Control") != "no-store" {
			t.Error("a tenant's data may be kept by caches:", path, a)
		}
		if len(a.header.Values("Access-Control-Allow-Origin")) != 0 {
			t.Error("CORS without an origin in the configuration:", a)
		}
	}
}

func TestCORS(t *testing.T) {
	const good, evil = "https://app.example.com", "https://app.example.com.evil.example"
	w := newWorld(t, func(s *settings) { s.opts.CORSOrigins = []string{good, "http://localhost:5173"} })
	o := w.tenant()
	preflight := func(origin string) answer {
		return w.do("OPTIONS", "/v1/organizations/"+o.slug, "", nil, header("Origin", origin),
			header("Access-Control-Request-Method", "PATCH"), header("Access-Control-Request-Headers", "authorization,if-match"))
	}
	a := preflight(good)
	if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != good || !strings.Contains(a.header.Get("Access-Control-Allow-Methods"), "PATCH") ||
		!strings.Contains(strings.ToLower(a.header.Get("Access-Control-Allow-Headers")), "if-match") || a.header.Get("Access-Control-Max-Age") == "" ||
		!strings.Contains(a.header.Get("Vary"), "Origin") || a.header.Get("Access-Control-Allow-Credentials") != "" || len(a.body) != 0 {
		t.Error(a)
	}
	for _, origin := range []string{evil, "null", "HTTPS://APP.EXAMPLE.COM", "http://app.example.com", good + "/", "*", ""} {
		if a := preflight(origin); a.header.Get("Access-Control-Allow-Origin") != "" || a.header.Get("Access-Control-Allow-Methods") != "" {
			t.Errorf("%q: %v", origin, a)
		}
	}
	for origin, allowed := range map[string]bool{good: true, evil: false, "http://localhost:5173": true, "": false} {
		for _, path := range []string{"/v1/me", "/v1/organizations/nobody", "/nowhere", "/healthz"} {
			a := w.do("GET", path, o.token, nil, func(r *http.Request) {
				if origin != "" {
					r.Header.Set("Origin", origin)
				}
			})
			if got := a.header.Get("Access-Control-Allow-Origin"); (got == origin && got != "") != allowed || !allowed && got != "" {
				t.Errorf("%s from %q: %v", path, origin, a)
			}
			if !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Origin") {
				t.Errorf("%s may be kept for another origin: %v", path, a)
			}
			if allowed && !strings.Contains(a.header.Get("Access-Control-Expose-Headers"), "ETag") {
				t.Error(a)
			}
		}
	}
	// Every method and header of the API passes a preflight.
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		if !slices.Contains(strings.Split(corsMethods, ", "), method) {
			t.Error(method, "is not allowed")
		}
	}
	// OPTIONS that is no preflight is a request like any other.
	w.expect(w.do("OPTIONS", "/v1/me", "", nil, header("Origin", good)), 405, "method_not_allowed")
	if a := w.do("OPTIONS", "/v1/me", "", nil, header("Origin", good), header("Access-Control-Request-Method", "GET")); a.header.Get("X-Request-Id") == "" {
		t.Error("a preflight has no request id:", a)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, opts := range map[string]Options{
		"public URL without scheme": {PublicURL: "orgs.example.com"},
		"public URL of a file":      {PublicURL: "file:///etc"},
		"public URL with query":     {PublicURL: "https://x.example/?a=b"},
		"public URL with fragment":  {PublicURL: "https://x.example/#a"},
		"origin with path":          {CORSOrigins: []string{"https://x.example/"}},
		"origin without scheme":     {CORSOrigins: []string{"x.example"}},
		"every origin":              {CORSOrigins: []string{"*"}},
		"log mode":                  {LogRequests: "some"},
	} {
		if _, err := opts.withDefaults(); err == nil {
			t.Error(name, "is taken")
		}
	}
	opts, err := Options{PublicURL: "https://x.example/base//"}.withDefaults()
	if err != nil || opts.PublicURL != "https://x.example/base" || opts.BodyLimit != 1<<20 {
		t.Error(opts, err)
	}
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	w := newWorld(t)
	conn := w.dial()
	defer func() { _ = conn.Close() }()
	var requests strings.Builder
	for i := range 20 {
		fmt.Fprintf(&requests, "GET /errors/nothing%d HTTP/1.1\r\nHost: x\r\n\r\n", i)
	}
	if _, err := io.WriteString(conn, requests.String()); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	for i := range 20 {
		a, err := readAnswer(r, "GET")
		if err != nil || a.field("instance") != fmt.Sprintf("/errors/nothing%d", i) {
			t.Fatal(i, a, err)
		}
	}
}
