package web

import (
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
