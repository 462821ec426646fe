//go:build unix

package cli_test

import (
	"net/http"
	"testing"
)

// Everybody moves out of a cluster, which then takes organizations again, by what
// is on the screen.
func TestTUIDrainsACluster(t *testing.T) {
	server := serve(t, dataDir(t))
	for _, name := range []string{"Acme", "Globex", "Initech"} {
		owned(server, name, name+"@example.com")
	}
	server.want(http.StatusCreated, "POST", "/v1/clusters", server.Key, map[string]string{"name": "more", "url": "sqlite:another-place"})
	s := openTUI(t, 100, 30, []string{"TENANTRY_KEY=" + server.Key}, "--url", server.URL)
	s.See("3 active")
	s.Press("4")
	s.See("› default", "more", "E drain")
	s.Press("E")
	s.See("where the placement sends them", "3 would stay, such as acme: the placement has no other cluster for it")
	s.Press("Down")
	s.See("Would move 3 of 3 organizations", "3 to more")
	s.Press("Enter")
	s.See("3 organizations move to more", "kept for the grace period")
	s.Press("Right")
	s.See("removed at once")
	s.Press("Enter")
	s.See("Yes", "y drain")
	s.Press("y")
	s.See("0 of 3 organizations", "completed")
	s.Press("Escape")
	s.See("Takes nobody any more.", "A open it", "closing")
	s.Press("A")
	s.See("Let default take organizations again?")
	s.Press("y")
	s.See("default takes organizations again.", "Works. Isolations")
	s.Press("2")
	s.See("Globex")
	s.Press("Enter")
	s.See("Placement  ")
	s.Press("Tab", "Tab")
	s.See("more", "completed")
	s.Press("q")
	s.See("ended 0 whole")
}
