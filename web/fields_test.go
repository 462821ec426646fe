package web

import (
	"fmt"
	"strings"
	"testing"
)

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
