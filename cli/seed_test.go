package cli_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A client of the first system, as its own verification script goes.
func TestSeedFlow(t *testing.T) {
	s := serve(t, dataDir(t))
	created := s.create("Acme")
	if created.Text("collection_name") != "org_acme" || created.Text("organization_name") != "Acme" {
		t.Fatalf("created %s", created.Body)
	}
	taken := s.want(http.StatusBadRequest, "POST", "/org/create", "", map[string]string{
		"organization_name": "ACME!", "email": "other@test.example", "password": password})
	if taken.Text("code") != "organization_name_taken" {
		t.Fatalf("taken: %s", taken.Body)
	}
	s.want(http.StatusUnauthorized, "POST", "/admin/login", "", map[string]string{"email": email("Acme"), "password": "wrong-one-entirely"})
	login := s.want(http.StatusOK, "POST", "/admin/login", "", map[string]string{"email": strings.ToUpper(email("Acme")), "password": password})
	token := login.Text("access_token")
	if login.Text("token_type") != "bearer" || login.Text("organization_name") != "Acme" {
		t.Fatalf("login: %s", login.Body)
	}

	got := s.want(http.StatusOK, "GET", "/org/get?organization_name=acme", "", nil)
	if got.JSON["admin_email"] != nil {
		t.Fatalf("a stranger sees the admin's address: %s", got.Body)
	}
	got = s.want(http.StatusOK, "GET", "/org/get?organization_name=Acme", token, nil)
	if got.Text("admin_email") != email("Acme") {
		t.Fatalf("the admin does not see the own address: %s", got.Body)
	}

	s.create("Other")
	s.want(http.StatusUnauthorized, "PUT", "/org/update", "", map[string]string{"organization_name": "Acme Two"})
	s.want(http.StatusForbidden, "PUT", "/org/update", token, map[string]string{
		"organization_name": "Other", "new_organization_name": "Mine Now"})
	// An update whose email is taken applies nothing of it.
	s.want(http.StatusBadRequest, "PUT", "/org/update", token, map[string]string{
		"organization_name": "Acme Two", "email": email("Other")})
	s.want(http.StatusOK, "GET", "/org/get?organization_name=Acme", token, nil)
	updated := s.want(http.StatusOK, "PUT", "/org/update", token, map[string]string{"organization_name": "Acme Two"})
	if updated.Text("collection_name") != "org_acme_two" {
		t.Fatalf("updated: %s", updated.Body)
	}
	s.want(http.StatusNotFound, "GET", "/org/get?organization_name=Acme", "", nil)
	s.want(http.StatusOK, "GET", "/org/get?organization_name="+url.QueryEscape("Acme Two"), token, nil)

	s.want(http.StatusForbidden, "DELETE", "/org/delete?organization_name=Other", token, nil)
	s.want(http.StatusUnauthorized, "DELETE", "/org/delete?organization_name=Other", "", nil)
	gone := s.want(http.StatusOK, "DELETE", "/org/delete?organization_name="+url.QueryEscape("Acme Two"), token, nil)
	if gone.Text("message") == "" {
		t.Fatalf("deleted: %s", gone.Body)
	}
	s.want(http.StatusNotFound, "GET", "/org/get?organization_name="+url.QueryEscape("Acme Two"), "", nil)
	s.want(http.StatusUnauthorized, "GET", "/v1/me", token, nil)
	s.want(http.StatusOK, "GET", "/org/get?organization_name=Other", "", nil)
}

// What a name's next owner must not inherit.
func TestNextTakerInheritsNothing(t *testing.T) {
	s := serve(t, dataDir(t))
	s.create("Acme")
	first := s.login("Acme")
	s.want(http.StatusCreated, "POST", "/v1/organizations/acme/documents", first, `{"type":"note","id":"n1","data":{"secret":true}}`)
	s.want(http.StatusOK, "PUT", "/org/update", first, map[string]string{"organization_name": "Moved"})

	s.want(http.StatusCreated, "POST", "/org/create", "", map[string]string{
		"organization_name": "Acme", "email": "second@test.example", "password": password})
	// The first one's token, from before the rename, reaches its own under the
	// new name and nothing under the old.
	s.want(http.StatusNotFound, "GET", "/v1/organizations/acme", first, nil)
	s.want(http.StatusNotFound, "GET", "/v1/organizations/acme/documents/n1", first, nil)
	s.want(http.StatusForbidden, "DELETE", "/org/delete?organization_name=Acme", first, nil)
	s.want(http.StatusOK, "GET", "/v1/organizations/moved/documents/n1", first, nil)
	second := s.want(http.StatusOK, "POST", "/admin/login", "", map[string]string{
		"email": "second@test.example", "password": password}).Text("access_token")
	s.want(http.StatusNotFound, "GET", "/v1/organizations/acme/documents/n1", second, nil)

	// Deleted and made again: the token from before the deletion is worthless.
	s.want(http.StatusOK, "DELETE", "/org/delete?organization_name=Moved", first, nil)
	s.create("Moved")
	s.want(http.StatusUnauthorized, "GET", "/v1/organizations/moved", first, nil)
	s.want(http.StatusNotFound, "GET", "/v1/organizations/moved/documents/n1",
		s.login("Moved"), nil)
}

// A rename that changes only case or punctuation keeps the data.
func TestRenameOfCaseAndPunctuation(t *testing.T) {
	s := serve(t, dataDir(t))
	s.create("acme rockets")
	token := s.login("acme rockets")
	s.want(http.StatusCreated, "POST", "/v1/organizations/acme-rockets/documents", token, `{"type":"note","id":"n1","data":{"a":1}}`)
	for _, name := range []string{"ACME Rockets", "Acme. Rockets!", "acme-rockets"} {
		a := s.want(http.StatusOK, "PUT", "/org/update", token, map[string]string{"organization_name": name})
		if a.Text("organization_name") != name || a.Text("collection_name") != "org_acme_rockets" {
			t.Fatalf("renamed to %q: %s", name, a.Body)
		}
		s.want(http.StatusOK, "GET", "/v1/organizations/acme-rockets/documents/n1", token, nil)
	}
}

// Clients of the first system send email and password along with whatever they
// change. What stays as it is ends no session; a new password ends all.
func TestUpdateRepeatsTheCredentials(t *testing.T) {
	s := serve(t, dataDir(t))
	s.create("Acme")
	token := s.login("Acme")
	s.want(http.StatusOK, "PUT", "/org/update", token, map[string]string{
		"organization_name": "Acme Two", "email": email("Acme"), "password": password})
	s.want(http.StatusOK, "GET", "/v1/me", token, nil)
	s.want(http.StatusOK, "PUT", "/org/update", token, map[string]string{
		"organization_name": "Acme Two", "password": password + "-new"})
	s.want(http.StatusUnauthorized, "GET", "/v1/me", token, nil)
	s.want(http.StatusUnauthorized, "POST", "/admin/login", "", map[string]string{"email": email("Acme"), "password": password})
	s.want(http.StatusOK, "POST", "/admin/login", "", map[string]string{"email": email("Acme"), "password": password + "-new"})
}
