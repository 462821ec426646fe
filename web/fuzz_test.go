package web

import (
	"encoding/json"
	"net"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// What checkJSON takes every JSON reader understands in one way; what it
// refuses it explains without repeating it.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1}`, `[1,2]`, `null`, ``, `{"a":1,"a":2}`, "\xef\xbb\xbf{}", `{"a":"\ud800"}`, "{\"a\":\"\xff\"}",
		`{"email":"a@b.c","password":"p"}`, `{"name":null,"metadata":{"k":null}}`, strings.Repeat("[", 200), `{} {}`, `1e999`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p := checkJSON(body)
		if p == nil && (!json.Valid(body) || !utf8.Valid(body)) {
			t.Fatalf("%q is taken", body)
		}
		if p != nil {
			if code, known := findCode(p.Code); !known || code.Status != p.Status || p.Detail == "" || !utf8.ValidString(string(p.appendJSON(nil))) {
				t.Fatalf("%q is refused with %+v", body, p)
			}
		}
		var patch organizationPatch
		var document createDocumentBody
		for _, v := range []any{&patch, &document} {
			if err := readBody(body, v); err == nil && p != nil && p.Code != "body_too_deep" {
				t.Fatalf("%q is refused at the door and read inside", body)
			}
			if err := readLoose(body, v); err == nil && jsontext.Value(body).Kind() != '{' {
				t.Fatalf("%q is read as an object", body)
			}
		}
	})
}

func FuzzForm(f *testing.F) {
	for _, seed := range []string{"username=a&password=b", "username=%zz", "a;b", "username=a&username=b&password=", "%00=%ff", "&&&==="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		login, p := parseLoginForm([]byte(body))
		if p == nil {
			if !strings.Contains(body, "=") && !strings.Contains(body, "username") {
				t.Fatalf("%q signs in as %q", body, login.Email)
			}
			return
		}
		if code, known := findCode(p.Code); !known || code.Status != p.Status {
			t.Fatalf("%q is refused with %+v", body, p)
		}
	})
}

func FuzzTags(f *testing.F) {
	for _, seed := range []string{`"1"`, `W/"1", "2"`, `*`, `"a,b",`, `W/W/"1"`, `"`, "\"\x00\"", `,,"9223372036854775807"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		list, ok := parseTags(header)
		if !ok && (list.any || len(list.tags) > 0) || ok && list.any == (len(list.tags) > 0) {
			t.Fatalf("%q is read as %+v, %v", header, list, ok)
		}
		// What was read reads the same again.
		members := make([]string, len(list.tags))
		for i, tag := range list.tags {
			members[i] = tag.opaque
			if tag.weak {
				members[i] = "W/" + tag.opaque
			}
			if !strings.Contains(header, members[i]) {
				t.Fatalf("%q has no %q", header, members[i])
			}
		}
		if ok && !list.any {
			again, ok := parseTags(strings.Join(members, ", "))
			if !ok || len(again.tags) != len(list.tags) {
				t.Fatalf("%q is another list when written again", header)
			}
		}
		for _, revision := range list.revisions() {
			if !strings.Contains(header, etag(revision)) {
				t.Fatalf("%q allows the revision %d", header, revision)
			}
		}
	})
}

func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{"203.0.113.1", "a, b", "[::1]:80, 10.0.0.1", "", ",,,", "fe80::1%eth0", "::ffff:10.0.0.1"} {
		f.Add(seed, seed)
	}
	trusted := proxies{netip.MustParsePrefix("10.0.0.0/8")}
	proxy := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1}
	stranger := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}
	f.Fuzz(func(t *testing.T, first, last string) {
		lines := []string{first, last}
		if got := trusted.client(stranger, lines).String(); got != "192.0.2.1" {
			t.Fatalf("%q makes a stranger %s", lines, got)
		}
		got := trusted.client(proxy, lines)
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Fatalf("%q is %s", lines, got)
		}
		// Whoever stands after the last one that is trusted decides alone.
		if !trusted.trusts(got) && trusted.client(proxy, []string{"198.51.100.9", first, last}) != got {
			t.Fatalf("%q: the client chooses its address", lines)
		}
	})
}

func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"Bearer x", "bearer  x ", "Basic Og==", "Bearer", "Bearer \x00", "BEARER a b", "Bearer é"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, header []byte) {
		token := bearerToken(header)
		if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Fatalf("%q gives %q", header, token)
		}
		if token != "" && !strings.HasPrefix(strings.ToLower(string(header)), "bearer ") {
			t.Fatalf("%q gives %q", header, token)
		}
	})
}

func FuzzRequestID(f *testing.F) {
	f.Add([]byte("abc-1"))
	f.Add([]byte("a b\n"))
	f.Fuzz(func(t *testing.T, header []byte) {
		id := newRequestIDs().of(header)
		if len(id) == 0 || len(id) > maxRequestID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' }) {
			t.Fatalf("%q gives %q", header, id)
		}
	})
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, seed := range []string{"gzip", "gzip;q=0", "*;q=0.1, br", ";;,,q="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if acceptsGzip([]byte(header)) && !strings.Contains(strings.ToLower(header), "gzip") && !strings.Contains(header, "*") {
			t.Fatalf("%q accepts gzip", header)
		}
	})
}
