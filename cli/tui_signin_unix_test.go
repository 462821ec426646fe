//go:build unix

package cli_test

import (
	"net/http"
	"testing"

	"tenantry/app/mongodb/mongotest"
)

// owned makes an organization whose owner signs in with the password
// "correct-horse-battery".
func owned(s *server, name, email string) {
	s.t.Helper()
	s.want(http.StatusCreated, "POST", "/v1/organizations", s.Key,
		map[string]any{"name": name, "owner": map[string]string{"email": email, "password": "correct-horse-battery"}})
}

// An admin signs in by email address and password and sees one organization.
func TestTUISignIn(t *testing.T) {
	server := serve(t, dataDir(t))
	owned(server, "شركة المثال", "a@example.com")
	s := openTUI(t, 60, 16, []string{"NO_COLOR=1"}, "--url", server.URL)
	s.See("Sign in to")
	s.Answers("a@example.com", "wrong-horse-battery")
	s.See("✗ The email address or the password is wrong.")
	s.Clear()
	s.Answers("correct-horse-battery")
	s.See("1 organization", "شركة المثال", "a@example.com")
	s.Press("Tab")
	s.See("There is no document yet")
	s.Press("n")
	s.See("New document")
	s.Answers("note", `{"a": 1}`, "")
	s.See("is made.")
	s.Resize(59, 16)
	s.See("Tenantry needs 60 by 16")
	s.Resize(60, 16)
	s.See("note")
	s.Press("BTab")
	s.See("Overview", "State")
	s.Press("D")
	s.See("to confirm")
	s.Answers("شركة المثال")
	s.See("Sign in to")
	s.Press("C-c")
	s.See("ended 0 whole")
}

// A key that is revoked while one works leads to the sign-in, and from there
// back to the screen as it was.
func TestTUIEndOfASignIn(t *testing.T) {
	server := serve(t, dataDir(t))
	owned(server, "Acme", "a@example.com")
	made := server.want(http.StatusCreated, "POST", "/v1/operator-keys", server.Key, map[string]string{"name": "doomed"})
	s := openTUI(t, 80, 24, []string{"TENANTRY_KEY=" + made.Text("key")}, "--url", server.URL)
	s.See("1 active")
	s.Press("2")
	s.See("Acme")
	s.Press("/")
	s.Enter("acm")
	s.Press("Enter")
	s.See("/ acm", "1 of 1")
	server.want(http.StatusNoContent, "DELETE", "/v1/operator-keys/"+made.Text("id"), server.Key, nil)
	s.Press("r")
	s.See("Sign in to")
	s.Answers(server.Key, "")
	s.See("Signed in again.", "/ acm", "1 of 1")
}

// Who is a member of several organizations says which one, and sees that one.
func TestTUIMemberOfSeveral(t *testing.T) {
	for _, engine := range []string{"sqlite", "mongodb"} {
		t.Run(engine, func(t *testing.T) {
			if testing.Short() {
				t.Skip("drives a real terminal")
			}
			var env []string
			if engine == "mongodb" {
				env = onMongoDB(t, mongotest.Shared(t, mongotest.ReplicaSet))
			}
			server := serve(t, dataDir(t), env...)
			owned(server, "First Ltd", "several@example.com")
			token := server.want(http.StatusOK, "POST", "/v1/auth/login", "",
				map[string]string{"email": "several@example.com", "password": "correct-horse-battery"}).Text("access_token")
			for _, name := range []string{"株式会社サンプル", "Third Ltd"} {
				server.want(http.StatusCreated, "POST", "/v1/organizations", token, map[string]string{"name": name})
			}
			s := openTUI(t, 80, 24, nil, "--url", server.URL)
			s.See("Sign in to")
			s.Answers("several@example.com", "correct-horse-battery")
			s.See("Choose an organization", "3 organizations", "First Ltd", "株式会社サンプル")
			s.Enter("third")
			s.Gone("First Ltd")
			s.Clear()
			s.See("First Ltd")
			s.Press("Down", "Enter")
			s.See("Placement  ", "株式会社サンプル", "several@example.com (owner)")
			s.Press("O")
			s.See("Sign in to")
			s.Answers("several@example.com", "correct-horse-battery")
			s.See("Choose an organization")
			s.Press("Escape")
			s.See("Sign in to", "several@example.com")
			s.Press("Enter", "Enter")
			s.See("Choose an organization")
			s.Press("Enter")
			s.See("Placement  ", "First Ltd")
			s.Press("q")
			s.See("ended 0 whole")
		})
	}
}
