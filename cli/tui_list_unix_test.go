//go:build unix

package cli_test

import (
	"net/http"
	"testing"
)

// The list is searched, sorted and filtered by what is on the screen.
func TestTUIListsOrganizations(t *testing.T) {
	server := serve(t, dataDir(t))
	server.want(http.StatusCreated, "POST", "/v1/clusters", server.Key, map[string]string{"name": "far", "url": "sqlite:far"})
	for _, o := range []struct{ name, cluster, isolation string }{
		{"Mango", "default", "collection"}, {"Apple", "far", "collection"}, {"Zucchini", "default", "shared"}, {"Fig", "far", "database"},
	} {
		server.want(http.StatusCreated, "POST", "/v1/organizations", server.Key, map[string]any{"name": o.name,
			"owner":     map[string]string{"email": o.name + "@example.com", "password": "correct-horse-battery"},
			"placement": map[string]string{"cluster": o.cluster, "isolation": o.isolation}})
	}
	server.want(http.StatusOK, "POST", "/v1/organizations/fig/suspend", server.Key, nil)
	s := openTUI(t, 80, 24, []string{"TENANTRY_KEY=" + server.Key}, "--url", server.URL)
	s.See("3 active")
	s.Press("2")
	s.See("› Mango", "oldest first", "1 of 4")
	for _, sorted := range [][2]string{{"newest first", "› Fig"}, {"by name", "› Apple"}, {"by name, backwards", "› Zucchini"}, {"oldest first", "› Mango"}} {
		s.Press("s")
		s.See(sorted[0], sorted[1])
	}

	filter := func(keys ...string) {
		s.Press("f")
		s.See("Filter organizations", "State")
		s.Press(keys...)
	}
	filter("Right", "Right", "Enter", "Enter", "Enter") // the second state
	s.See("only suspended", "1 of 1", "› Fig")
	s.Press("c")
	s.See("1 of 4", "oldest first")
	filter("Enter", "Right", "Right", "Enter", "Enter") // the second isolation
	s.See("only shared", "1 of 1", "› Zucchini")
	s.Press("c")
	s.See("1 of 4")
	filter("Enter", "Enter")
	s.Answers("far")
	s.See("only far", "1 of 2", "› Apple", "Fig")
	filter("Enter", "Right", "Enter", "Enter") // and of these
	s.See("only far · only collection", "1 of 1", "› Apple")
	s.Press("c")
	s.See("1 of 4")

	s.Press("/")
	s.Answers("zuc")
	s.See("1 of 1", "Zucchini")
	s.Press("Escape")
	s.See("1 of 1")
	s.Press("c")
	s.See("1 of 4")
	s.Press("q")
	s.See("ended 0 whole")
}
