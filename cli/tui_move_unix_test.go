//go:build unix

package cli_test

import (
	"fmt"
	"net/http"
	"testing"
)

// An organization is moved to a table that many share, back again, and to a file
// of its own for good, by what is on the screen.
func TestTUIMovesAnOrganization(t *testing.T) {
	server := serve(t, dataDir(t))
	owned(server, "Acme", "a@example.com")
	token := server.want(http.StatusOK, "POST", "/v1/auth/login", "",
		map[string]string{"email": "a@example.com", "password": "correct-horse-battery"}).Text("access_token")
	for i := range 3 {
		server.want(http.StatusCreated, "POST", "/v1/organizations/acme/documents", token,
			map[string]any{"type": "note", "id": fmt.Sprint(i), "data": map[string]int{"n": i}})
	}
	s := openTUI(t, 100, 30, []string{"TENANTRY_KEY=" + server.Key}, "--url", server.URL)
	s.See("1 active")
	s.Press("2")
	s.See("Acme")
	s.Press("Enter")
	s.See("Placement  ")
	s.Press("Tab", "Tab")
	s.See("3 documents", "a collection of its own")

	s.Press("M")
	s.See("Would move 3 documents", "default · shared")
	s.Press("Enter")
	s.See("Move Acme to default, shared?")
	s.Press("y")
	s.See("▸ switched", "B move back")
	s.Press("B")
	s.See("Move back to default, collection?")
	s.Press("y")
	s.See("✓ reverted")
	s.Press("Escape")
	s.See("a collection of its own", "3 documents", "Last move", "reverted")

	s.Press("M")
	s.See("Would move 3 documents", "default · shared")
	s.Press("Down")
	s.See("Would move 3 documents", "default · database")
	s.Press("Enter")
	s.See("Move Acme to default, database?")
	s.Press("y")
	s.See("▸ switched", "C complete")
	s.Press("C")
	s.See("Remove the old place on default, collection?")
	s.Press("y")
	s.See("✓ completed")
	s.Press("Escape")
	s.See("a database or file of its own", "3 documents", "completed")
	s.Press("3")
	s.See("relocate", "completed", "reverted")
	s.Press("q")
	s.See("ended 0 whole")
}
