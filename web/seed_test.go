package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const seedPassword = "correct-horse-battery"

// seedTenant makes an organization as clients of the first system do.
func (w *world) seedTenant() tenant {
	w.t.Helper()
	n := tenants.Add(1)
	o := tenant{name: fmt.Sprintf("Seed %d", n), email: fmt.Sprintf("seed%d@tenant.example", n), password: seedPassword}
	a := w.do("POST", "/org/create", "", object{"organization_name": o.name, "email": o.email, "password": o.password})
	if a.status != 201 {
		w.t.Fatal("create:", a)
	}
	o.id, o.slug, o.token = a.field("id"), a.field("slug"), w.seedToken(o.email, o.password)
	return o
}

func (w *world) seedToken(email, password string) string {
	w.t.Helper()
	a := w.do("POST", "/admin/login", "", object{"email": email, "password": password})
	if a.status != 200 {
		w.t.Fatal("login:", a)
	}
	return a.field("access_token")
}

func seedGet(name string) string { return "/org/get?organization_name=" + url.QueryEscape(name) }

func TestSeedCreate(t *testing.T) {
	w := newWorld(t)
	o := w.seedTenant()
	for name, c := range map[string]struct {
		body   any
		status int
		code   string
		where  string
	}{
		"as the first system's clients send it": {object{"organization_name": "Plain", "email": "p@x.example", "password": seedPassword, "extra": 1}, 201, "", ""},
		"taken":                                 {object{"organization_name": o.name, "email": "new@x.example", "password": seedPassword}, 400, "organization_name_taken", ""},
		"taken but for case and punctuation":    {object{"organization_name": " " + strings.ToUpper(strings.ReplaceAll(o.name, " ", "_")) + "!", "email": "new@x.example", "password": seedPassword}, 400, "organization_name_taken", ""},
		"email taken":                           {object{"organization_name": "Fresh", "email": strings.ToUpper(o.email), "password": seedPassword}, 400, "email_taken", ""},
		"no name":                               {object{"email": "new@x.example", "password": seedPassword}, 422, "invalid", "organization_name"},
		"no email":                              {object{"organization_name": "Fresh", "password": seedPassword}, 422, "invalid", "email"},
		"no password":                           {object{"organization_name": "Fresh", "email": "new@x.example"}, 422, "invalid", "password"},
		"bad email":                             {object{"organization_name": "Fresh", "email": "nobody", "password": seedPassword}, 422, "invalid", "email"},
		"short password":                        {object{"organization_name": "Fresh", "email": "new@x.example", "password": "xQ7"}, 422, "invalid", "password"},
		"long password":                         {object{"organization_name": "Fresh", "email": "new@x.example", "password": strings.Repeat("xY7", 40)}, 422, "invalid", "password"},
		"reserved name":                         {object{"organization_name": "admin", "email": "new@x.example", "password": seedPassword}, 422, "invalid", "organization_name"},
		"NUL in the name":                       {object{"organization_name": "a\x00b", "email": "new@x.example", "password": seedPassword}, 422, "invalid", "organization_name"},
		"long name":                             {object{"organization_name": strings.Repeat("a", 10_000), "email": "new@x.example", "password": seedPassword}, 422, "invalid", "organization_name"},
		"name of another type":                  {object{"organization_name": 7, "email": "new@x.example", "password": seedPassword}, 422, "invalid", "organization_name"},
		"null for a name":                       {object{"organization_name": nil, "email": "new@x.example", "password": seedPassword}, 422, "invalid", "organization_name"},
		"no JSON":                               {"organization_name=Fresh", 400, "body_not_json", ""},
		"nothing":                               {"", 400, "body_required", ""},
		"a list":                                {"[]", 422, "invalid", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.do("POST", "/org/create", "", c.body)
			if a.status != c.status || a.field("code") != c.code || a.field("errors.0.location") != c.where {
				t.Errorf("got %v, want %d %s %s", a, c.status, c.code, c.where)
			}
			if strings.Contains(a.String(), "xQ7") || strings.Contains(a.String(), "xY7") || strings.Contains(a.String(), seedPassword) {
				t.Error("the password comes back:", a)
			}
		})
	}
	// Nothing of what was refused is left.
	for _, name := range []string{"Fresh", "a b"} {
		w.expect(w.do("GET", seedGet(name), "", nil), 404, "organization_not_found")
	}
	a := w.do("POST", "/org/create", "", object{"organization_name": "Fresh", "email": "new@x.example", "password": seedPassword})
	if a.status != 201 || a.field("collection_name") != "org_fresh" || a.field("admin_email") != "new@x.example" {
		t.Error(a)
	}
}

func TestSeedSignupClosed(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.closed = true })
	body := object{"organization_name": "Plain", "email": "p@x.example", "password": seedPassword}
	w.expect(w.do("POST", "/org/create", "", body), 403, "signup_closed")
	w.expect(w.do("POST", "/v1/organizations", "", object{"name": "Plain", "owner": object{"email": "p@x.example", "password": seedPassword}}), 403, "signup_closed")
	if a := w.do("POST", "/org/create", w.operator, body); a.status != 201 {
		t.Error(a)
	}
}

func TestSeedLogin(t *testing.T) {
	w := newWorld(t)
	o := w.seedTenant()
	a := w.do("POST", "/admin/login", "", object{"email": strings.ToUpper(o.email), "password": o.password})
	if a.status != 200 || a.field("token_type") != "bearer" || a.field("organization_id") != o.id ||
		a.field("organization_name") != o.name || a.field("expires_in") != "900" || a.field("admin_id") == "" || a.field("refresh_token") == "" {
		t.Error(a)
	}
	form := func(values url.Values) (string, with) {
		return values.Encode(), header("Content-Type", "application/x-www-form-urlencoded")
	}
	body, asForm := form(url.Values{"grant_type": {"password"}, "username": {o.email}, "password": {o.password}, "scope": {""}})
	for name, authorization := range map[string]string{"as Swagger UI sends it": "Basic Og==", "empty": "Basic ", "rubbish": "rubbish", "a dead token": "Bearer x"} {
		if a := w.do("POST", "/admin/login", "", body, asForm, header("Authorization", authorization)); a.status != 200 {
			t.Error(name, a)
		}
	}
	if a := w.do("POST", "/admin/login", "", body, header("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")); a.status != 200 {
		t.Error(a)
	}
	wrong := w.do("POST", "/admin/login", "", object{"email": o.email, "password": "wrong-secret-9"})
	w.expect(wrong, 401, "credentials_invalid")
	unknown := w.do("POST", "/admin/login", "", object{"email": "nobody@x.example", "password": "wrong-secret-9"})
	w.expect(unknown, 401, "credentials_invalid")
	if wrong.field("detail") != unknown.field("detail") || strings.Contains(wrong.String()+unknown.String(), "wrong-secret") {
		t.Error(wrong, unknown)
	}
	for name, c := range map[string]struct {
		body, media string
		status      int
		code, where string
	}{
		"no password":        {`{"email":"a@x.example"}`, "application/json", 422, "invalid", "password"},
		"no email":           {`{"password":"wrong-secret-9"}`, "application/json", 422, "invalid", "email"},
		"null":               {`{"email":null,"password":"wrong-secret-9"}`, "application/json", 422, "invalid", "email"},
		"other type":         {`{"email":1,"password":"wrong-secret-9"}`, "application/json", 422, "invalid", "email"},
		"form no username":   {"password=wrong-secret-9", "application/x-www-form-urlencoded", 422, "invalid", "username"},
		"form no password":   {"username=a%40x.example", "application/x-www-form-urlencoded", 422, "invalid", "password"},
		"form malformed":     {"username=%zz&password=wrong-secret-9", "application/x-www-form-urlencoded", 400, "bad_request", ""},
		"form not UTF-8":     {"username=%ff&password=wrong-secret-9", "application/x-www-form-urlencoded", 401, "credentials_invalid", ""},
		"form as JSON":       {"username=a&password=wrong-secret-9", "application/json", 400, "body_not_json", ""},
		"JSON as form":       {`{"email":"a@x.example","password":"wrong-secret-9"}`, "application/x-www-form-urlencoded", 422, "invalid", "username"},
		"multipart":          {"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415, "content_type_not_supported", ""},
		"nothing":            {"", "application/json", 400, "body_required", ""},
		"twice the password": {`{"email":"a@x.example","password":"wrong-secret-9","password":"x"}`, "application/json", 400, "body_duplicate_key", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.do("POST", "/admin/login", "", c.body, header("Content-Type", c.media))
			if a.status != c.status || a.field("code") != c.code || a.field("errors.0.location") != c.where {
				t.Errorf("got %v, want %d %s %s", a, c.status, c.code, c.where)
			}
			if strings.Contains(a.String(), "wrong-secret") {
				t.Error("the password comes back:", a)
			}
		})
	}
	if strings.Contains(w.log.String(), "wrong-secret") || strings.Contains(w.log.String(), o.password) {
		t.Error("a password is in the log")
	}
}

func TestSeedGet(t *testing.T) {
	w := newWorld(t)
	o, other := w.seedTenant(), w.seedTenant()
	for token, email := range map[string]string{"": "", o.token: o.email, other.token: "", w.operator: o.email} {
		for _, name := range []string{o.name, strings.ToUpper(o.name), " " + o.name + " ", o.slug} {
			a := w.do("GET", seedGet(name), token, nil)
			if a.status != 200 || a.field("admin_email") != email || a.field("id") != o.id || a.field("organization_name") != o.name ||
				a.field("collection_name") != "org_"+strings.ReplaceAll(o.slug, "-", "_") {
				t.Error(name, a)
			}
		}
	}
	w.expect(w.do("GET", seedGet("nobody here"), "", nil), 404, "organization_not_found")
	w.expect(w.do("GET", seedGet("admin"), "", nil), 404, "organization_not_found")
	for _, path := range []string{"/org/get", seedGet(""), seedGet("  "), seedGet(strings.Repeat("a", 101)), seedGet("a\x00b")} {
		a := w.do("GET", path, "", nil)
		if a.status != 422 || a.field("errors.0.location") != "organization_name" {
			t.Error(path, a)
		}
	}
	if a := w.do("GET", "/org/get?organization_name=%ff", "", nil); a.status != 422 {
		t.Error(a)
	}
	// What the first system passed over is passed over.
	if a := w.do("GET", seedGet(o.name)+"&_=123", "", nil); a.status != 200 {
		t.Error(a)
	}
	w.expect(w.do("GET", seedGet(o.name), "rubbish", nil), 401, "token_invalid")
}

func TestSeedDelete(t *testing.T) {
	w := newWorld(t)
	for name, send := range map[string]func(o tenant) answer{
		"query": func(o tenant) answer {
			return w.do("DELETE", "/org/delete?organization_name="+url.QueryEscape(o.name), o.token, nil)
		},
		"body": func(o tenant) answer {
			return w.do("DELETE", "/org/delete", o.token, object{"organization_name": o.name, "x": 1})
		},
		"body in another case": func(o tenant) answer {
			return w.do("DELETE", "/org/delete", o.token, object{"organization_name": strings.ToUpper(o.name)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := w.seedTenant()
			w.document(o, `{"old":1}`)
			if a := send(o); a.status != 200 || a.field("message") == "" {
				t.Fatal(a)
			}
			w.expect(w.do("GET", seedGet(o.name), "", nil), 404, "organization_not_found")
			w.expect(w.do("GET", "/v1/me", o.token, nil), 401, "session_ended")
			w.expect(w.do("POST", "/admin/login", "", object{"email": o.email, "password": o.password}), 401, "credentials_invalid")
			a := w.do("POST", "/org/create", "", object{"organization_name": o.name, "email": o.email, "password": o.password})
			if a.status != 201 || a.field("id") == o.id {
				t.Fatal("name and address are not free:", a)
			}
			token := w.seedToken(o.email, o.password)
			if list := w.do("GET", "/v1/organizations/"+o.slug+"/documents", token, nil); list.field("items") != "[]" {
				t.Error("the next inherits:", list)
			}
		})
	}
	o, other := w.seedTenant(), w.seedTenant()
	for name, c := range map[string]struct {
		path   string
		body   any
		status int
		code   string
	}{
		"another's":     {"/org/delete?organization_name=" + url.QueryEscape(other.name), nil, 403, "not_your_organization"},
		"nobody's":      {"/org/delete?organization_name=nobody", nil, 404, "organization_not_found"},
		"none named":    {"/org/delete", nil, 422, "invalid"},
		"empty object":  {"/org/delete", `{}`, 422, "invalid"},
		"empty name":    {"/org/delete?organization_name=", nil, 422, "invalid"},
		"other type":    {"/org/delete", `{"organization_name":1}`, 422, "invalid"},
		"no JSON":       {"/org/delete", `organization_name`, 400, "body_not_json"},
		"query decides": {"/org/delete?organization_name=nobody", object{"organization_name": o.name}, 404, "organization_not_found"},
	} {
		t.Run(name, func(t *testing.T) { w.expect(w.do("DELETE", c.path, o.token, c.body), c.status, c.code) })
	}
	w.expect(w.do("DELETE", "/org/delete?organization_name="+url.QueryEscape(o.name), "", nil), 401, "token_required")
	if a := w.do("GET", "/v1/me", o.token, nil); a.status != 200 {
		t.Error(a)
	}
}

func TestSeedRoutesCanBeTakenAway(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.opts.CompatEnabled = false })
	for _, route := range []string{"POST /org/create", "POST /admin/login", "GET /org/get", "PUT /org/update", "DELETE /org/delete", "GET /health"} {
		method, path, _ := strings.Cut(route, " ")
		w.expect(w.do(method, path, w.operator, object{}), 404, "route_not_found")
	}
	if strings.Contains(string(w.do("GET", "/openapi.json", "", nil).body), "/admin/login") {
		t.Error("the document still names what is gone")
	}
}

func TestRootAndHealth(t *testing.T) {
	w := newWorld(t)
	if a := w.do("GET", "/health", "", nil); a.status != 200 || a.field("status") != "healthy" {
		t.Error(a)
	}
	if a := w.do("GET", "/", "", nil); a.status != 200 || a.field("message") == "" || a.field("version") != "test" || a.field("docs") != "/docs" {
		t.Error(a)
	}
	browser := header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	if a := w.do("GET", "/", "", nil, browser); a.status != http.StatusSeeOther || a.header.Get("Location") != "docs" {
		t.Error(a)
	}
	bare := newWorld(t, func(s *settings) { s.opts.DocsEnabled = false })
	if a := bare.do("GET", "/", "", nil, browser); a.status != 200 || a.field("docs") != "" {
		t.Error(a)
	}
	bare.expect(bare.do("GET", "/docs", "", nil), 404, "route_not_found")
}
