package web

import (
	"fmt"
	"testing"
)

func TestSeedUpdateRenames(t *testing.T) {
	w := newWorld(t)
	o := w.seedTenant()
	w.document(o, `{"kept":true}`)
	rename := func(body object, want string) {
		t.Helper()
		old := w.do("GET", "/v1/organizations/"+o.id, o.token, nil)
		a := w.do("PUT", "/org/update", o.token, body)
		if a.status != 200 || a.field("organization_name") != want || a.field("id") != o.id {
			t.Fatal(a)
		}
		if a := w.do("GET", seedGet(want), o.token, nil); a.status != 200 || a.field("id") != o.id {
			t.Error("under the new name:", a)
		}
		if old.field("slug") != a.field("slug") {
			w.expect(w.do("GET", seedGet(old.field("name")), "", nil), 404, "organization_not_found")
		}
		list := w.do("GET", "/v1/organizations/"+a.field("slug")+"/documents", o.token, nil)
		if list.field("items.0.data.kept") != "true" {
			t.Error("the documents did not follow:", list)
		}
	}
	rename(object{"organization_name": "Second Name"}, "Second Name")
	rename(object{"organization_name": "Second Name", "new_organization_name": "Third Name"}, "Third Name")
	rename(object{"organization_name": " third-NAME ", "new_organization_name": "Fourth"}, "Fourth")
	rename(object{"organization_name": "FOURTH"}, "FOURTH")                                      // case alone
	rename(object{"organization_name": "fourth", "new_organization_name": "Fourth!"}, "Fourth!") // punctuation alone
	rename(object{"organization_name": "Fourth!"}, "Fourth!")                                    // nothing
	rename(object{"organization_name": "Fourth!", "new_organization_name": "Fourth!"}, "Fourth!")
	rename(object{"organization_name": "Zürich Büro", "unknown": "x"}, "Zürich Büro")

	// The name that went away is anybody's, and inherits nothing.
	a := w.do("POST", "/org/create", "", object{"organization_name": "Second Name", "email": "heir@x.example", "password": seedPassword})
	if a.status != 201 || a.field("id") == o.id {
		t.Fatal(a)
	}
	heir := w.seedToken("heir@x.example", seedPassword)
	if list := w.do("GET", "/v1/organizations/second-name/documents", heir, nil); list.field("items") != "[]" {
		t.Error(list)
	}
	w.expect(w.do("GET", "/v1/organizations/second-name", o.token, nil), 404, "organization_not_found")
	w.expect(w.do("PUT", "/org/update", o.token, object{"organization_name": "Second Name"}), 400, "organization_name_taken")
	w.expect(w.do("PUT", "/org/update", o.token, object{"organization_name": "Second Name", "new_organization_name": "Mine"}), 403, "not_your_organization")
	w.expect(w.do("PUT", "/org/update", o.token, object{"organization_name": "nobody", "new_organization_name": "Mine"}), 403, "not_your_organization")
}

func TestSeedUpdateCredentials(t *testing.T) {
	w := newWorld(t)
	o, other := w.seedTenant(), w.seedTenant()
	// A taken address: nothing of the change is applied.
	a := w.do("PUT", "/org/update", o.token, object{"organization_name": o.name, "new_organization_name": "Applied",
		"email": other.email, "password": "another-horse-battery"})
	w.expect(a, 400, "email_taken")
	w.expect(w.do("GET", seedGet("Applied"), "", nil), 404, "organization_not_found")
	w.seedToken(o.email, o.password)
	// An invalid field beside valid ones: the same, and all are named.
	a = w.do("PUT", "/org/update", o.token, object{"organization_name": o.name, "new_organization_name": "", "email": "no address", "password": "short"})
	w.expect(a, 422, "invalid")
	for i, where := range []string{"new_organization_name", "email", "password"} {
		if got := a.field(fmt.Sprintf("errors.%d.location", i)); got != where {
			t.Errorf("field %d is %q, want %s", i, got, where)
		}
	}
	w.seedToken(o.email, o.password)

	a = w.do("PUT", "/org/update", o.token, object{"organization_name": o.name, "email": "moved@x.example"})
	if a.status != 200 || a.field("admin_email") != "moved@x.example" {
		t.Error(a)
	}
	token := w.seedToken("moved@x.example", o.password)
	w.expect(w.do("POST", "/admin/login", "", object{"email": o.email, "password": o.password}), 401, "credentials_invalid")

	a = w.do("PUT", "/org/update", token, object{"organization_name": o.name, "password": "another-horse-battery"})
	if a.status != 200 {
		t.Error(a)
	}
	w.expect(w.do("GET", "/v1/me", token, nil), 401, "session_ended")
	w.expect(w.do("POST", "/admin/login", "", object{"email": "moved@x.example", "password": o.password}), 401, "credentials_invalid")
	w.seedToken("moved@x.example", "another-horse-battery")

	for name, c := range map[string]struct {
		token  string
		body   any
		status int
		code   string
	}{
		"no name":      {other.token, object{"email": "x@x.example"}, 422, "invalid"},
		"null email":   {other.token, `{"organization_name":"` + other.name + `","email":null}`, 200, ""},
		"list":         {other.token, `["organization_name"]`, 422, "invalid"},
		"no JSON":      {other.token, "nonsense", 400, "body_not_json"},
		"no token":     {"", object{"organization_name": other.name}, 401, "token_required"},
		"dead token":   {token, object{"organization_name": o.name}, 401, "session_ended"},
		"no such name": {w.operator, object{"organization_name": "nobody"}, 404, "organization_not_found"},
	} {
		t.Run(name, func(t *testing.T) { w.expect(w.do("PUT", "/org/update", c.token, c.body), c.status, c.code) })
	}
}
