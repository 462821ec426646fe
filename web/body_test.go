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
	// A body that is only promised is refused before it is sent.
	raw := w.raw("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
	w.expect(raw, 413, "too_large")
	if raw.header.Get("Connection") != "close" {
		t.Error("the rest of the body would be read as a request:", raw)
	}
}

type nopCloser struct{}

func (nopCloser) Close() error { return nil }

func TestUnknownFieldsAndParameters(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	w.put(o, "here")
	org := "/v1/organizations/" + o.slug
	for route, body := range map[string]string{
		"POST /v1/organizations":         `{"name":"x y","owner":{"email":"u@x.example","password":"correct-horse-battery"},"namme":"S3cr3t"}`,
		"PATCH " + org:                   `{"namme":"S3cr3t"}`,
		"POST " + org + "/documents":     `{"type":"t","data":{},"namme":"S3cr3t"}`,
		"PUT " + org + "/documents/here": `{"data":{},"namme":"S3cr3t"}`,
		"POST /v1/auth/login":            `{"email":"a","password":"S3cr3t","namme":1}`,
		"POST /v1/auth/refresh":          `{"refresh_token":"S3cr3t","namme":1}`,
		"POST /v1/operator-keys":         `{"name":"k","namme":"S3cr3t"}`,
	} {
		method, path, _ := strings.Cut(route, " ")
		token := o.token
		if path == "/v1/operator-keys" {
			token = w.operator
		}
		a := w.do(method, path, token, body)
		if a.status != 422 || a.field("errors.0.code") != "unknown_field" || a.field("errors.0.location") != "namme" || strings.Contains(a.String(), "S3cr3t") {
			t.Error(route, a)
		}
	}
	// Names compare exactly: one that differs in case is unknown, not passed over.
	for route, body := range map[string]string{
		"POST /v1/organizations":     `{"name":"Case One","External_ID":"e","owner":{"email":"c1@x.example","password":"correct-horse-battery"}}`,
		"POST /v1/auth/login":        `{"email":"` + o.email + `","password":"` + o.password + `","Organization":"elsewhere"}`,
		"POST /v1/operator-keys":     `{"name":"never ends?","Expires_At":"2020-01-01T00:00:00Z"}`,
		"PATCH " + org:               `{"Metadata":{}}`,
		"POST " + org + "/documents": `{"type":"t","data":{},"ID":"a"}`,
	} {
		method, path, _ := strings.Cut(route, " ")
		token := o.token
		if path == "/v1/operator-keys" {
			token = w.operator
		}
		a := w.do(method, path, token, body)
		if a.status != 422 || a.field("errors.0.code") != "unknown_field" {
			t.Error(route, a)
		}
	}
	for _, path := range []string{
		"/v1/organizations?namme=x", org + "?expand=1", org + "/documents?filter=x", "/v1/me?x", "/healthz?x=1", "/v1/organizations?Limit=5",
	} {
		a := w.do("GET", path, o.token, nil)
		if a.status != 422 || a.field("errors.0.code") != "unknown_parameter" {
			t.Error(path, a)
		}
	}
	for path, want := range map[string]string{
		"/v1/organizations?limit=x":         "wrong_type",
		"/v1/organizations?limit=0":         "out_of_range",
		"/v1/organizations?limit=201":       "out_of_range",
		"/v1/organizations?limit=1e2":       "wrong_type",
		"/v1/organizations?sort=size":       "not_allowed",
		"/v1/organizations?state=creating":  "not_allowed",
		"/v1/organizations?count=perhaps":   "wrong_type",
		"/v1/organizations?isolation=none":  "not_allowed",
		"/v1/organizations?q=%ff":           "invalid_text",
		"/v1/organizations?cursor=nonsense": "invalid_cursor",
		org + "/documents?cursor=%00":       "invalid_cursor",
		org + "/documents?limit=-1":         "out_of_range",
	} {
		a := w.do("GET", path, o.token, nil)
		if a.status != 422 || a.field("errors.0.code") != want {
			t.Errorf("%s: got %v, want %s", path, a, want)
		}
		if strings.Contains(a.field("errors.0.message"), "perhaps") || a.field("errors.0.location") == "" {
			t.Error(path, a)
		}
	}
	if a := w.do("GET", "/v1/organizations?limit=1&limit=2", o.token, nil); a.status != 422 || a.field("errors.0.code") != "repeated_parameter" {
		t.Error("one of two values is taken:", a)
	}
}

// What is wrong is answered in bounds, however much of it there is.
func TestManyFaultsGetAShortAnswer(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	var names, keys strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&names, `,"n%d":1`, i)
		fmt.Fprintf(&keys, `,"\u0001%d":""`, i)
	}
	for route, body := range map[string]string{
		"GET /healthz?x=1" + strings.Repeat("&a", 4_000): "",
		"POST /v1/auth/login":                            `{"email":"a@x.example","password":"b"` + names.String() + `}`,
		"PATCH /v1/organizations/" + o.slug:              `{"metadata":{"a":"b"` + keys.String() + `}}`,
	} {
		method, path, _ := strings.Cut(route, " ")
		var sent any
		if body != "" {
			sent = body
		}
		a := w.do(method, path, o.token, sent)
		if a.status != 422 || len(a.body) > 10_000 {
			t.Errorf("%.40s: status %d, %d bytes", route, a.status, len(a.body))
		}
	}
}

// Every route of /v1 refuses parameters that it does not have, and every one
// with a body what is no JSON.
func TestEveryRouteChecksWhatItGets(t *testing.T) {
	w := newWorld(t)
	for _, rt := range w.server.routes {
		path := strings.NewReplacer("{org}", "acme", "{id}", "one", "{code}", "internal").Replace(rt.path)
		if !rt.loose {
			a := w.do(rt.method, path+"?surprise=S3cr3t", w.operator, nil)
			if a.status != 422 || a.field("errors.0.code") != "unknown_parameter" || strings.Contains(a.String(), "S3cr3t") {
				t.Error(rt.method, rt.path, a)
			}
		}
		if rt.body == jsonBody {
			w.expect(w.do(rt.method, path, w.operator, "{"), 400, "body_not_json")
		}
	}
}
