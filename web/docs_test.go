package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

var docsFiles = []string{"/docs", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/start.js", "/docs/page.css"}

func TestDocsPage(t *testing.T) {
	w := newWorld(t)
	page := w.do("GET", "/docs", "", nil)
	if page.status != 200 || page.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatal(page)
	}
	policy := page.header.Get("Content-Security-Policy")
	for _, directive := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "img-src 'self' data:"} {
		if !strings.Contains(policy, directive) {
			t.Errorf("the policy lacks %s: %s", directive, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || strings.Contains(policy, "http") {
		t.Error("the policy is loose:", policy)
	}
	if page.header.Get("X-Frame-Options") != "DENY" || page.header.Get("Referrer-Policy") != "no-referrer" || page.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Error(page.header)
	}
	// Whatever the page loads is here, and it has no script or style in itself.
	html := string(page.body)
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		if strings.HasPrefix(m[1], "data:") {
			continue
		}
		if strings.Contains(m[1], "//") || strings.HasPrefix(m[1], "/") {
			t.Error("a link that is not relative:", m[1])
		}
		if a := w.do("GET", "/"+m[1], "", nil); a.status != 200 {
			t.Error(m[1], a.status)
		}
	}
	if regexp.MustCompile(`(?i)<script[^>]*>[^<]|<style|\son\w+=|\sstyle=`).MatchString(html) {
		t.Error("the page has script or style in itself:", html)
	}
	start := string(w.do("GET", "/docs/start.js", "", nil).body)
	for _, setting := range []string{"validatorUrl: null", "queryConfigEnabled: false", "persistAuthorization: false", `url: "openapi.json"`} {
		if !strings.Contains(start, setting) {
			t.Errorf("start.js does not say %s", setting)
		}
	}
	if strings.Contains(start, "location") || strings.Contains(start, "http") {
		t.Error("start.js takes something from the page's address, or from elsewhere:", start)
	}
}

// "?url=" would show another server's API as this one's.
func TestDocsPageIgnoresItsQuery(t *testing.T) {
	w := newWorld(t)
	plain, attacked := w.do("GET", "/docs", "", nil), w.do("GET", "/docs?url=https://evil.example/x.json&configUrl=//evil.example", "", nil)
	if !bytes.Equal(plain.body, attacked.body) || strings.Contains(attacked.String(), "evil") {
		t.Error(attacked)
	}
	if a := w.do("GET", "/docs/", "", nil); a.status != http.StatusPermanentRedirect || a.header.Get("Location") != "../docs" {
		t.Error(a)
	}
}

func TestDocsFilesAreKeptAndPacked(t *testing.T) {
	w := newWorld(t)
	for _, path := range append([]string{"/openapi.json"}, docsFiles...) {
		plain := w.do("GET", path, "", nil)
		packed := w.do("GET", path, "", nil, header("Accept-Encoding", "br, gzip;q=0.8"))
		if plain.header.Get("Content-Encoding") != "" || plain.header.Get("ETag") == "" || plain.header.Get("Cache-Control") == "no-store" {
			t.Error(path, plain.header)
		}
		body := packed.body
		if packed.header.Get("Content-Encoding") == "gzip" {
			if packed.header.Get("ETag") == plain.header.Get("ETag") {
				t.Error(path, "has one ETag for two representations")
			}
			r, err := gzip.NewReader(bytes.NewReader(packed.body))
			if err != nil {
				t.Fatal(err)
			}
			if body, err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(plain.header.Values("Vary"), ","), "Accept-Encoding") || !strings.Contains(strings.Join(packed.header.Values("Vary"), ","), "Accept-Encoding") {
				t.Error(path, "lacks Vary: Accept-Encoding")
			}
		} else if len(plain.body) > 2048 {
			t.Error(path, "is large and not packed")
		}
		if !bytes.Equal(body, plain.body) {
			t.Error(path, "is another file when packed")
		}
		for _, a := range []answer{plain, packed} {
			again := w.do("GET", path, "", nil, header("If-None-Match", a.header.Get("ETag")), header("Accept-Encoding", map[bool]string{true: "gzip", false: "identity"}[a.header.Get("Content-Encoding") != ""]))
			if again.status != 304 || len(again.body) != 0 || again.header.Get("ETag") != a.header.Get("ETag") {
				t.Error(path, again)
			}
		}
	}
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "*": true, "*;q=0": false, "gzip;q=0": false, "gzip; q=0.001": true, "identity": false,
		"br": false, "gzip;q=0, *": false, "*;q=0, gzip": true, "xgzip": false, "gzip;q=nonsense": false, "br;q=1.0, gzip;q=0.5": true,
	} {
		if got := acceptsGzip([]byte(accept)); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}

// The embedded files load nothing from elsewhere by themselves: no import, no
// source map, no font.
func TestDocsFilesNameNoOtherHost(t *testing.T) {
	w := newWorld(t)
	css := string(w.do("GET", "/docs/swagger-ui.css", "", nil).body) + string(w.do("GET", "/docs/page.css", "", nil).body)
	if m := regexp.MustCompile(`(?i)@import|url\(\s*["']?(?:https?:)?//`).FindString(css); m != "" {
		t.Error("a stylesheet loads", m)
	}
	for _, path := range docsFiles {
		if m := regexp.MustCompile(`sourceMappingURL=\S*//\S*`).FindString(string(w.do("GET", path, "", nil).body)); m != "" {
			t.Error(path, "names", m)
		}
	}
}
