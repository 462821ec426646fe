package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestOrganizationsCreate(t *testing.T) {
	w := newWorld(t)
	a := w.do("POST", "/v1/organizations", "", object{
		"name": "  Émile & Søn ", "external_id": "crm-7", "metadata": object{"plan": "gold"},
		"owner": object{"email": "emile@x.example", "password": seedPassword, "name": "Émile"},
	})
	id := a.field("id")
	if a.status != 201 || a.field("name") != "Émile & Søn" || a.field("slug") != "emile-son" || a.field("external_id") != "crm-7" ||
		a.field("metadata.plan") != "gold" || a.field("state") != "active" || a.header.Get("ETag") != `"1"` ||
		a.header.Get("Location") != "/v1/organizations/"+id || id[14] != '7' {
		t.Error(a)
	}
	if got := w.do("GET", a.header.Get("Location"), w.operator, nil); string(got.body) != string(a.body) || got.header.Get("ETag") != `"1"` {
		t.Error("what was made is not what is there:", got)
	}
	owner := object{"email": "n@x.example", "password": seedPassword}
	for name, c := range map[string]struct {
		body        object
		token       string
		status      int
		code, where string
	}{
		"name taken":         {object{"name": "EMILE SON", "owner": owner}, "", 409, "organization_name_taken", ""},
		"slug taken":         {object{"name": "Other", "slug": "emile-son", "owner": owner}, "", 409, "organization_name_taken", ""},
		"email taken":        {object{"name": "Other", "owner": object{"email": "EMILE@x.example", "password": seedPassword}}, "", 409, "email_taken", ""},
		"external id taken":  {object{"name": "Other", "external_id": "crm-7", "owner": owner}, "", 409, "external_id_taken", ""},
		"no owner":           {object{"name": "Other"}, "", 422, "invalid", "owner"},
		"no owner, operator": {object{"name": "Other"}, w.operator, 422, "invalid", "owner"},
		"no name":            {object{"owner": owner}, "", 422, "invalid", "name"},
		"no password":        {object{"name": "Other", "owner": object{"email": "n@x.example"}}, "", 422, "invalid", "owner.password"},
		"bad slug":           {object{"name": "Other", "slug": "a_b", "owner": owner}, "", 422, "invalid", "slug"},
		"reserved slug":      {object{"name": "Other", "slug": "operators", "owner": owner}, "", 422, "invalid", "slug"},
		"metadata too long":  {object{"name": "Other", "metadata": object{"k": strings.Repeat("v", 601)}, "owner": owner}, "", 422, "invalid", "metadata.k"},
		"metadata no text":   {object{"name": "Other", "metadata": object{"k": 1}, "owner": owner}, "", 422, "invalid", "metadata.k"},
		"placement, anybody": {object{"name": "Other", "placement": object{"cluster": "default"}, "owner": owner}, "", 403, "operator_only", ""},
		"unknown cluster":    {object{"name": "Other", "placement": object{"cluster": "moon"}, "owner": owner}, w.operator, 422, "invalid", "placement.cluster"},
		"unknown isolation":  {object{"name": "Other", "placement": object{"isolation": "total"}, "owner": owner}, w.operator, 422, "invalid", "placement.isolation"},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.do("POST", "/v1/organizations", c.token, c.body)
			if a.status != c.status || a.field("code") != c.code || a.field("errors.0.location") != c.where {
				t.Errorf("got %v, want %d %s at %q", a, c.status, c.code, c.where)
			}
		})
	}
	if a := w.do("POST", "/v1/organizations", w.operator, object{"name": "Other", "slug": "my-own", "placement": object{"cluster": "default", "isolation": "collection"}, "owner": owner}); a.status != 201 || a.field("slug") != "my-own" {
		t.Error("what was refused left something behind:", a)
	}
	// A user who is in already becomes the owner of another.
	o := w.tenant()
	a = w.do("POST", "/v1/organizations", o.token, object{"name": "Second of " + o.name})
	if a.status != 201 {
		t.Fatal(a)
	}
	second := a.field("id")
	if me := w.do("GET", "/v1/me", o.token, nil); me.field("memberships.0.organization_id") != o.id || me.field("memberships.1.organization_id") != second ||
		me.field("memberships.1.role") != "owner" || me.field("organization_id") != o.id || me.field("email") != o.email {
		t.Error(me)
	}
	choose := w.do("POST", "/v1/auth/login", "", object{"email": o.email, "password": o.password})
	w.expect(choose, 409, "organization_required")
	if choose.field("organizations.0.id") != o.id || choose.field("organizations.1.id") != second || choose.field("organizations.0.slug") != o.slug {
		t.Error(choose)
	}
	if a := w.do("POST", "/v1/auth/login", "", object{"email": o.email, "password": o.password, "organization": second}); a.status != 200 || a.field("organization.id") != second {
		t.Error(a)
	}
	w.expect(w.do("POST", "/v1/auth/login", "", object{"email": o.email, "password": o.password, "organization": "emile-son"}), 404, "organization_not_found")
}

func TestOrganizationsList(t *testing.T) {
	w := newWorld(t)
	var ids []string
	for _, name := range []string{"Delta", "alpha", "Charlie", "bravo"} {
		a := w.do("POST", "/v1/organizations", "", object{"name": name + " List", "external_id": "x-" + name,
			"owner": object{"email": name + "@list.example", "password": seedPassword}})
		if a.status != 201 {
			t.Fatal(a)
		}
		ids = append(ids, a.field("id"))
	}
	names := func(query string) string {
		t.Helper()
		var all []string
		for cursor := ""; ; {
			a := w.do("GET", "/v1/organizations?limit=1&"+query+cursor, w.operator, nil)
			if a.status != 200 || a.field("items.1") != "" {
				t.Fatal(query, a)
			}
			if name := a.field("items.0.name"); name != "" {
				all = append(all, strings.TrimSuffix(name, " List"))
			}
			if a.field("next_cursor") == "" {
				return strings.Join(all, " ")
			}
			cursor = "&cursor=" + a.field("next_cursor")
		}
	}
	w.do("POST", "/v1/organizations/"+ids[2]+"/suspend", w.operator, nil)
	for query, want := range map[string]string{
		"":                                    "Delta alpha Charlie bravo",
		"sort=-created_at":                    "bravo Charlie alpha Delta",
		"sort=name":                           "alpha bravo Charlie Delta",
		"sort=-name":                          "Delta Charlie bravo alpha",
		"q=RAV":                               "bravo",
		"q=%25":                               "",
		"external_id=x-alpha":                 "alpha",
		"external_id=X-alpha":                 "",
		"state=suspended":                     "Charlie",
		"state=active&sort=name":              "alpha bravo Delta",
		"cluster=default&q=delta":             "Delta",
		"cluster=moon":                        "",
		"isolation=collection&q=alpha":        "alpha",
		"isolation=database":                  "",
		"q=nobody":                            "",
		"q=list&state=suspended&sort=name":    "Charlie",
		"q=list&count=false&sort=-created_at": "bravo Charlie alpha Delta",
	} {
		if got := names(query); got != want {
			t.Errorf("%q lists %q, want %q", query, got, want)
		}
	}
	a := w.do("GET", "/v1/organizations?count=true&q=list&limit=2", w.operator, nil)
	if a.field("total") != "4" || a.field("next_cursor") == "" {
		t.Error(a)
	}
	if a := w.do("GET", "/v1/organizations", w.operator, nil); a.field("total") != "" {
		t.Error("a total that nobody asked for:", a)
	}
	a = w.do("GET", "/v1/organizations?sort=name&cursor="+a.field("next_cursor"), w.operator, nil)
	if a.status != 422 {
		t.Error("a cursor of another order is taken:", a)
	}
}

func TestOrganizationPatch(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	path := "/v1/organizations/" + o.id
	patch := func(body string, want map[string]string) {
		t.Helper()
		a := w.do("PATCH", path, o.token, body, header("Content-Type", "application/merge-patch+json"))
		if a.status != 200 {
			t.Fatal(body, a)
		}
		for field, value := range want {
			if a.field(field) != value {
				t.Errorf("%s: %s is %q, want %q", body, field, a.field(field), value)
			}
		}
		if a.header.Get("ETag") != `"`+a.field("revision")+`"` {
			t.Error(a)
		}
	}
	patch(`{"metadata":{"a":"1","b":"2"},"external_id":"e-1"}`, map[string]string{"metadata": `{"a":"1","b":"2"}`, "external_id": "e-1"})
	patch(`{"metadata":{"a":null,"c":"3"}}`, map[string]string{"metadata": `{"b":"2","c":"3"}`, "external_id": "e-1"})
	patch(`{"metadata":null,"external_id":null}`, map[string]string{"metadata": `{}`, "external_id": ""})
	patch(`{"name":"Patched Name"}`, map[string]string{"name": "Patched Name", "slug": "patched-name"})
	patch(`{"slug":"chosen"}`, map[string]string{"name": "Patched Name", "slug": "chosen"})
	patch(`{"name":"Another Name"}`, map[string]string{"name": "Another Name", "slug": "chosen"})
	patch(`{}`, map[string]string{"name": "Another Name"})
	for body, where := range map[string]string{
		`{"name":null}`: "name", `{"slug":null}`: "slug", `{"name":""}`: "name", `{"slug":"A"}`: "slug",
		`{"name":1}`: "name", `{"metadata":{"k":1}}`: "metadata.k", `{"metadata":[]}`: "metadata", `{"state":"suspended"}`: "state",
		`{"external_id":7}`: "external_id",
	} {
		a := w.do("PATCH", path, o.token, body)
		if a.status != 422 || a.field("errors.0.location") != where {
			t.Errorf("%s: got %v, want a fault at %s", body, a, where)
		}
	}
	other := w.tenant()
	w.expect(w.do("PATCH", path, o.token, object{"slug": other.slug}), 409, "organization_name_taken")
}

func TestSuspendAndResume(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	path := "/v1/organizations/" + o.slug
	doc := w.document(o, `{"kept":1}`)
	for range 2 { // twice is once
		if a := w.do("POST", path+"/suspend", w.operator, nil); a.status != 200 || a.field("state") != "suspended" {
			t.Fatal(a)
		}
	}
	for _, route := range []string{"GET " + path, "GET " + doc, "GET /v1/me", "DELETE " + path, "GET /v1/organizations"} {
		method, path, _ := strings.Cut(route, " ")
		w.expect(w.do(method, path, o.token, nil), 403, "organization_suspended")
	}
	w.expect(w.do("POST", "/v1/auth/login", "", object{"email": o.email, "password": o.password}), 403, "organization_suspended")
	w.expect(w.do("POST", "/v1/auth/refresh", "", object{"refresh_token": o.refresh}), 403, "organization_suspended")
	if a := w.do("GET", path, w.operator, nil); a.field("state") != "suspended" {
		t.Error(a)
	}
	if a := w.do("POST", path+"/resume", w.operator, nil); a.status != 200 || a.field("state") != "active" {
		t.Fatal(a)
	}
	if a := w.do("GET", doc, o.token, nil); a.status != 200 || a.field("data.kept") != "1" {
		t.Error("after resume:", a)
	}
	w.expect(w.do("POST", "/v1/organizations/nobody/suspend", w.operator, nil), 404, "organization_not_found")
	w.expect(w.do("POST", "/v1/organizations/nobody/resume", w.operator, nil), 404, "organization_not_found")
}

func TestPlacement(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	before := w.do("GET", "/v1/organizations/"+o.slug+"/placement", o.token, nil)
	w.document(o, `{"a":1}`)
	a := w.do("GET", "/v1/organizations/"+o.slug+"/placement", o.token, nil)
	if a.status != 200 || a.field("cluster") != "default" || a.field("isolation") != "collection" || a.field("generation") != "1" ||
		a.field("collection") != "org_"+strings.ReplaceAll(o.slug, "-", "_") || a.field("documents") != "1" || before.field("documents") != "0" {
		t.Error(before, a)
	}
	if strings.Contains(a.String(), w.core.folder) {
		t.Error("a path of the server is told:", a)
	}
}

func TestDocumentsCRUD(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	path := "/v1/organizations/" + o.slug + "/documents"
	a := w.do("POST", path, o.token, `{"id":"my.own~id_1-2","type":"note","data":{"b":1,"a":{"x":[1,2.50,"é\u0000"]},"n":9007199254740993}}`)
	if a.status != 201 || a.header.Get("Location") != path+"/my.own~id_1-2" || a.header.Get("ETag") != `"1"` || a.field("revision") != "1" ||
		!strings.Contains(string(a.body), `"n":9007199254740993`) {
		t.Fatal(a)
	}
	at := a.header.Get("Location")
	if got := w.do("GET", at, o.token, nil); string(got.body) != string(a.body) || got.header.Get("ETag") != `"1"` {
		t.Error(got)
	}
	w.expect(w.do("POST", path, o.token, `{"id":"my.own~id_1-2","type":"note","data":{}}`), 409, "document_id_taken")
	if a := w.do("PUT", at, o.token, `{"data":{"a":1,"b":{"c":2,"d":3}}}`); a.status != 200 || a.field("type") != "note" || a.field("revision") != "2" || a.field("data") != `{"a":1,"b":{"c":2,"d":3}}` {
		t.Error(a)
	}
	if a := w.do("PUT", at, o.token, `{"type":"memo","data":{"a":1,"b":{"c":2,"d":3}}}`); a.field("type") != "memo" || a.header.Get("ETag") != `"3"` {
		t.Error(a)
	}
	if a := w.do("PATCH", at, o.token, `{"a":null,"b":{"c":null,"e":4},"f":[null]}`, header("Content-Type", "application/merge-patch+json")); a.status != 200 || a.field("data") != `{"b":{"d":3,"e":4},"f":[null]}` {
		t.Error(a)
	}
	if a := w.do("DELETE", at, o.token, nil); a.status != 204 || len(a.body) != 0 || a.header.Get("Content-Type") != "" {
		t.Error(a)
	}
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
		var body any
		if method == "PUT" || method == "PATCH" {
			body = `{"data":{}}`
		}
		w.expect(w.do(method, at, o.token, body), 404, "document_not_found")
		w.expect(w.do(method, path+"/never%2Fwas", o.token, body), 404, "document_not_found")
	}
	for body, where := range map[string]string{
		`{"type":"note"}`: "data", `{"data":{}}`: "type", `{"type":"no type","data":{}}`: "type", `{"type":"a","data":[]}`: "data",
		`{"type":"a","data":null}`: "data", `{"type":"a","data":{},"id":"a/b"}`: "id", `{"type":7,"data":{}}`: "type",
		`{"type":"a","data":{"n":1e999}}`: "data", `{"type":"a","data":{"n":99999999999999999999}}`: "data",
	} {
		a := w.do("POST", path, o.token, body)
		if a.status != 422 || a.field("errors.0.location") != where {
			t.Errorf("%s: got %v, want a fault at %s", body, a, where)
		}
	}
}

func TestDocumentsList(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	path := "/v1/organizations/" + o.slug + "/documents"
	for i := range 7 {
		if a := w.do("POST", path, o.token, fmt.Sprintf(`{"id":"d%d","type":"t%d","data":{"i":%d}}`, i, i%2, i)); a.status != 201 {
			t.Fatal(a)
		}
	}
	walk := func(query string) string {
		t.Helper()
		var got []string
		for cursor := ""; ; {
			a := w.do("GET", path+"?limit=3"+query+cursor, o.token, nil)
			if a.status != 200 {
				t.Fatal(a)
			}
			for i := range 4 {
				if id := a.field(fmt.Sprintf("items.%d.id", i)); id != "" {
					got = append(got, id)
				}
			}
			if a.field("next_cursor") == "" {
				return strings.Join(got, " ")
			}
			cursor = "&cursor=" + a.field("next_cursor")
		}
	}
	for query, want := range map[string]string{
		"": "d0 d1 d2 d3 d4 d5 d6", "&type=t0": "d0 d2 d4 d6", "&type=t1": "d1 d3 d5", "&type=none": "",
	} {
		if got := walk(query); got != want {
			t.Errorf("%q lists %q, want %q", query, got, want)
		}
	}
	a := w.do("GET", path+"?type=none", o.token, nil)
	if string(a.body) != `{"items":[]}` {
		t.Error(a)
	}
}

func TestSignInRefreshLogout(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	a := w.do("POST", "/v1/auth/login", "", object{"email": strings.ToUpper(o.email), "password": o.password, "organization": o.slug})
	if a.status != 200 || a.field("token_type") != "bearer" || a.field("role") != "owner" || a.field("organization.slug") != o.slug || a.field("expires_in") != "900" {
		t.Fatal(a)
	}
	b := w.do("POST", "/v1/auth/refresh", "", object{"refresh_token": a.field("refresh_token")})
	if b.status != 200 || b.field("session_id") != a.field("session_id") || b.field("refresh_token") == a.field("refresh_token") {
		t.Fatal(b)
	}
	w.expect(w.do("POST", "/v1/auth/refresh", "", object{"refresh_token": "rubbish"}), 401, "refresh_invalid")
	if out := w.do("POST", "/v1/auth/logout", "", object{"refresh_token": b.field("refresh_token")}); out.status != 204 || len(out.body) != 0 {
		t.Error(out)
	}
	w.expect(w.do("GET", "/v1/me", b.field("access_token"), nil), 401, "session_ended")
	w.expect(w.do("POST", "/v1/auth/refresh", "", object{"refresh_token": b.field("refresh_token")}), 401, "session_ended")
	// Shown twice, it has two holders: the sign-in ends.
	c := w.do("POST", "/v1/auth/refresh", "", object{"refresh_token": o.refresh})
	w.expect(w.do("POST", "/v1/auth/refresh", "", object{"refresh_token": o.refresh}), 401, "refresh_reused")
	w.expect(w.do("GET", "/v1/me", c.field("access_token"), nil), 401, "session_ended")
	for _, route := range []string{"/v1/auth/login", "/v1/auth/refresh", "/v1/auth/logout"} {
		w.expect(w.do("POST", route, "", `{}`), 422, "invalid")
	}
	if jwks := w.do("GET", "/.well-known/jwks.json", "", nil); jwks.field("keys.0.alg") != "EdDSA" || jwks.header.Get("Cache-Control") != "public, max-age=60" ||
		strings.Contains(string(jwks.body), `"d"`) {
		t.Error(jwks)
	}
}

func TestOperatorKeys(t *testing.T) {
	w := newWorld(t)
	a := w.do("POST", "/v1/operator-keys", w.operator, object{"name": "deploy", "expires_at": "2199-01-02T03:04:05.006Z"})
	if a.status != 201 || a.field("expires_at") != "2199-01-02T03:04:05.006Z" || !strings.HasPrefix(a.field("key"), "tnt_") {
		t.Fatal(a)
	}
	w.expect(w.do("POST", "/v1/operator-keys", w.operator, object{"name": "deploy"}), 409, "operator_key_name_taken")
	for _, body := range []string{`{"name":""}`, `{"name":"x","expires_at":"2001-01-01T00:00:00Z"}`, `{"name":"x","expires_at":"tomorrow"}`} {
		w.expect(w.do("POST", "/v1/operator-keys", w.operator, body), 422, "invalid")
	}
	key := a.field("key")
	list := w.do("GET", "/v1/operator-keys", key, nil)
	if list.status != 200 || list.field("items.1.name") != "deploy" || strings.Contains(string(list.body), key) {
		t.Error(list)
	}
	if a := w.do("DELETE", "/v1/operator-keys/"+a.field("id"), w.operator, nil); a.status != 204 {
		t.Error(a)
	}
	w.expect(w.do("GET", "/v1/operator-keys", key, nil), 401, "key_invalid")
	w.expect(w.do("DELETE", "/v1/operator-keys/nonsense", w.operator, nil), 404, "operator_key_not_found")
	if strings.Contains(w.log.String(), key) || strings.Contains(w.log.String(), w.operator) {
		t.Error("a key is in the log")
	}
}

func TestHEADIsGETWithoutBody(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	doc := w.document(o, `{"a":1}`)
	paths := []string{
		"/", "/docs", "/docs/start.js", "/docs/swagger-ui-bundle.js", "/openapi.json", "/health", "/healthz", "/readyz", "/.well-known/jwks.json",
		"/errors", "/errors/internal", "/v1/me", "/v1/organizations", "/v1/organizations/" + o.slug, "/v1/organizations/nobody",
		"/v1/organizations/" + o.slug + "/placement", "/v1/organizations/" + o.slug + "/documents", doc, seedGet(o.name), "/nowhere",
		"/v1/organizations?nonsense=1",
	}
	for _, path := range paths {
		id := header("X-Request-Id", "same")
		get, head := w.do("GET", path, o.token, nil, id), w.do("HEAD", path, o.token, nil, id)
		if head.status != get.status || len(head.body) != 0 {
			t.Errorf("%s: GET %d, HEAD %v", path, get.status, head)
		}
		for name := range get.header {
			if name != "Date" && name != "Ratelimit-Remaining" && head.header.Get(name) != get.header.Get(name) {
				t.Errorf("%s: %s is %q for HEAD, %q for GET", path, name, head.header.Get(name), get.header.Get(name))
			}
		}
		if len(head.header) != len(get.header) {
			t.Errorf("%s: headers %v for HEAD, %v for GET", path, head.header, get.header)
		}
	}
	// Nothing of a HEAD's body is on the wire, either.
	a := w.raw("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if a.status != http.StatusOK || len(a.body) != 0 {
		t.Error(a)
	}
}
