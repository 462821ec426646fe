package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// bodyRoutes are the ways in which bodies are read: by Huma, by handlers, as
// merge patches, and on the seed's routes.
func bodyRoutes(o tenant) map[string]string {
	return map[string]string{
		"read by Huma":         "POST /v1/organizations",
		"read by the handler":  "POST /v1/organizations/" + o.slug + "/documents",
		"document put":         "PUT /v1/organizations/" + o.slug + "/documents/here",
		"document patch":       "PATCH /v1/organizations/" + o.slug + "/documents/here",
		"organization patch":   "PATCH /v1/organizations/" + o.slug,
		"sign-in":              "POST /v1/auth/login",
		"seed create":          "POST /org/create",
		"seed sign-in":         "POST /admin/login",
		"seed update":          "PUT /org/update",
		"seed delete (a body)": "DELETE /org/delete",
	}
}

func TestBodiesThatAreNone(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	w.put(o, "here")
	const secret = "S3cr3t-value"
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"no JSON":                {secret, 400, "body_not_json"},
		"truncated":              {`{"name":"` + secret, 400, "body_not_json"},
		"only an opening":        {`{`, 400, "body_not_json"},
		"white space":            {"  \n", 400, "body_not_json"},
		"trailing garbage":       {`{} ` + secret, 400, "body_not_json"},
		"two objects":            {`{}{}`, 400, "body_not_json"},
		"byte order mark":        {"\xef\xbb\xbf{}", 400, "body_not_json"},
		"UTF-16":                 {"\xff\xfe{\x00}\x00", 400, "body_not_json"},
		"single quotes":          {`{'a':1}`, 400, "body_not_json"},
		"comment":                {`{/*` + secret + `*/}`, 400, "body_not_json"},
		"trailing comma":         {`{"a":1,}`, 400, "body_not_json"},
		"NaN":                    {`{"a":NaN}`, 400, "body_not_json"},
		"leading zero":           {`{"a":01}`, 400, "body_not_json"},
		"raw control character":  {"{\"a\":\"\x01\"}", 400, "body_not_json"},
		"invalid UTF-8 value":    {"{\"data\":{\"a\":\"\xff\"}}", 400, "body_not_utf8"},
		"invalid UTF-8 name":     {"{\"\xc3\x28\":1}", 400, "body_not_utf8"},
		"lone surrogate":         {`{"a":"\ud800"}`, 400, "body_not_json"},
		"duplicate name":         {`{"a":1,"a":2}`, 400, "body_duplicate_key"},
		"duplicate name, deeper": {`{"data":{"x":{"a":1,"\u0061":2}}}`, 400, "body_duplicate_key"},
		"twenty thousand levels": {strings.Repeat("[", 20_000), 400, ""},
		"deep objects":           {strings.Repeat(`{"data":`, 5_000) + "1" + strings.Repeat("}", 5_000), 0, ""},
	} {
		for how, route := range bodyRoutes(o) {
			t.Run(name+", "+how, func(t *testing.T) {
				method, path, _ := strings.Cut(route, " ")
				a := w.do(method, path, o.token, c.body)
				switch {
				case c.status == 0 && a.status != 400 && a.status != 422,
					c.status != 0 && a.status != c.status,
					c.code != "" && a.field("code") != c.code:
					t.Errorf("got %v, want %d %s", a, c.status, c.code)
				}
				if strings.Contains(a.String(), secret) {
					t.Error("the body comes back:", a)
				}
			})
		}
	}
	if a := w.do("GET", "/v1/organizations/"+o.slug, o.token, nil); a.status != 200 {
		t.Error(a)
	}
}

func TestEmptyBodies(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	w.put(o, "here")
	for how, route := range bodyRoutes(o) {
		t.Run(how, func(t *testing.T) {
			method, path, _ := strings.Cut(route, " ")
			a := w.do(method, path, o.token, "")
			if method == "DELETE" {
				w.expect(a, 422, "invalid") // it says nothing of which
				return
			}
			w.expect(a, 400, "body_required")
		})
	}
}

func TestBodiesOfAnotherShape(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	w.put(o, "here")
	for how, route := range bodyRoutes(o) {
		for _, body := range []string{`[]`, `"S3cr3t"`, `42`, `true`, `null`, `[{"name":"S3cr3t"}]`} {
			t.Run(how+" "+body, func(t *testing.T) {
				method, path, _ := strings.Cut(route, " ")
				a := w.do(method, path, o.token, body)
				w.expect(a, 422, "invalid")
				if strings.Contains(a.String(), "S3cr3t") {
					t.Error("the body comes back:", a)
				}
			})
		}
	}
}

func TestMediaTypes(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	path := "/v1/organizations/" + o.slug + "/documents"
	for media, want := range map[string]int{
		"application/json":                  201,
		"":                                  201,
		"Application/JSON":                  201,
		"application/json; charset=utf-8":   201,
		"application/json;charset=UTF-8":    201,
		"application/vnd.tenantry+json":     201,
		"application/merge-patch+json":      201,
		"text/plain":                        415,
		"text/json":                         415,
		"application/x-www-form-urlencoded": 415,
		"multipart/form-data; boundary=x":   415,
		"application/xml":                   415,
		"application/jsonp":                 415,
		"nonsense":                          415,
		// JSON has no such parameter; the body itself must be UTF-8.
		"application/json; charset=utf-16": 201,
	} {
		for how, route := range map[string]struct{ path, body string }{
			"read by the handler": {path, `{"type":"t","data":{}}`},
			"read by Huma": {"/v1/organizations",
				fmt.Sprintf(`{"name":"Media %d","owner":{"email":"m%d@x.example","password":"correct-horse-battery"}}`, tenants.Add(1), tenants.Load())},
		} {
			t.Run(how+" as "+media, func(t *testing.T) {
				a := w.do("POST", route.path, o.token, route.body, func(r *http.Request) {
					r.Header.Del("Content-Type")
					if media != "" {
						r.Header.Set("Content-Type", media)
					}
				})
				if a.status != want || want == 415 && a.field("code") != "content_type_not_supported" {
					t.Errorf("got %v, want %d", a, want)
				}
			})
		}
	}
	for _, encoding := range []string{"gzip", "deflate", "br", "zstd", "gzip, gzip"} {
		a := w.do("POST", path, o.token, `{"type":"t","data":{}}`, header("Content-Encoding", encoding))
		w.expect(a, 415, "encoding_not_supported")
	}
	if a := w.do("POST", path, o.token, `{"type":"t","data":{}}`, header("Content-Encoding", "identity")); a.status != 201 {
		t.Error(a)
	}
}

func TestHugeBodies(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.opts.BodyLimit = 64 << 10 })
	o := w.tenant()
	path := "/v1/organizations/" + o.slug + "/documents"
	fill := func(size int) string {
		head, tail := `{"type":"t","data":{"a":"`, `"}}`
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
	}
	if a := w.do("POST", path, o.token, fill(64<<10)); a.status != 201 {
		t.Error("at the limit:", a.status)
	}
	w.expect(w.do("POST", path, o.token, fill(64<<10+1)), 413, "too_large")
	chunked := func(r *http.Request) {
		r.ContentLength, r.Body = -1, http.NoBody
		raw := fill(64<<10 + 1)
		r.Body = struct {
			*bytes.Reader
			nopCloser
		}{Reader: bytes.NewReader([]byte(raw))}
	}
	w.expect(w.do("POST", path, o.token, nil, chunked, header("Content-Type", "application/json")), 413, "too_large")
	// Who sends all before reading gets the answer, and no reset.
	w.expect(w.raw("POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n"+strings.Repeat("x", 20_000_000)), 413, "too_large")
	// A body that is only promised is refused before it is sent.
	raw := w.raw("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
	w.expect(raw, 413, "too_large")
	if raw.header.Get("Connection") != "close" {
		t.Error("the rest of the body would be read as a request:", raw)
	}
}

type nopCloser struct{}

func (nopCloser) Close() error { return nil }
