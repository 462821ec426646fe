package cli_test

import (
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app/mongodb/mongotest"
)

// household is what an installation has that must live on where its registry
// goes.
type household struct {
	access, refresh string
	key             string
	repeated        string // the answer to a request with an idempotency key
	revoked         string // an access token of a sign-in that was ended
}

// settle makes a household on a server.
func settle(t *testing.T, s *server) *household {
	t.Helper()
	h := &household{key: s.Key}
	s.create("Acme")
	signIn := s.want(http.StatusOK, "POST", "/v1/auth/login", "", map[string]string{"email": email("Acme"), "password": password})
	h.access, h.refresh = signIn.Text("access_token"), signIn.Text("refresh_token")
	ended := s.want(http.StatusOK, "POST", "/v1/auth/login", "", map[string]string{"email": email("Acme"), "password": password})
	s.want(http.StatusNoContent, "POST", "/v1/auth/logout", "", map[string]string{"refresh_token": ended.Text("refresh_token")})
	h.revoked = ended.Text("access_token")
	for i := range 20 {
		s.want(http.StatusCreated, "POST", "/v1/organizations/acme/documents", h.access,
			fmt.Sprintf(`{"type":"n","id":"d%d","data":{"n":%d}}`, i, i))
	}
	for i := range 30 {
		s.create(fmt.Sprintf("Org %d", i))
	}
	s.want(http.StatusAccepted, "DELETE", "/v1/organizations/org-7", s.Key, nil)
	h.repeated = s.repeat(t, s.Key).Body
	return h
}

// repeat creates an organization with an idempotency key, or is given the answer
// once more.
func (s *server) repeat(t *testing.T, token string) answer {
	t.Helper()
	return s.want(http.StatusCreated, "POST", "/v1/organizations", token,
		`{"name":"Repeated","owner":{"email":"r@test.example","password":"`+password+`"}}`, "Idempotency-Key", "the same")
}

// lives checks that a household lives on, on a server. It ends the sign-in.
func (h *household) lives(t *testing.T, s *server) {
	t.Helper()
	for i := range 20 {
		got := s.want(http.StatusOK, "GET", fmt.Sprintf("/v1/organizations/acme/documents/d%d", i), h.access, nil)
		if data, _ := got.JSON["data"].(map[string]any); data["n"] != float64(i) {
			t.Errorf("document %d is %s", i, got.Body)
		}
	}
	s.want(http.StatusUnauthorized, "GET", "/v1/organizations/acme", h.revoked, nil)
	next := s.want(http.StatusOK, "POST", "/v1/auth/refresh", "", map[string]string{"refresh_token": h.refresh})
	s.want(http.StatusOK, "GET", "/v1/organizations/acme", next.Text("access_token"), nil)
	// The one that was used up is known as such also by what replaced it.
	s.want(http.StatusUnauthorized, "POST", "/v1/auth/refresh", "", map[string]string{"refresh_token": h.refresh})
	for _, name := range []string{"Acme", "Org 0", "Org 29"} {
		s.login(name)
	}
	taken := s.want(http.StatusBadRequest, "POST", "/org/create", "", map[string]string{
		"organization_name": "Org 3", "email": email("another"), "password": password})
	if taken.Text("code") != "organization_name_taken" {
		t.Errorf("a name that is taken: %s", taken.Body)
	}
	list := s.want(http.StatusOK, "GET", "/v1/organizations?limit=100", h.key, nil)
	if items, _ := list.JSON["items"].([]any); len(items) != 31 { // Acme, Repeated, and 29 of 30
		t.Errorf("%d organizations are listed", len(items))
	}
	if again := s.repeat(t, h.key).Body; again != h.repeated {
		t.Errorf("repeated, the answer is %s, and was %s", again, h.repeated)
	}
	s.want(http.StatusOK, "POST", "/v1/organizations/org-7/restore", h.key, nil)
	s.login("Org 7")
	s.create("New") // it takes writes
}

// From the data folder to MongoDB and back, with the process killed at random
// instants: everything that was there is there, and whoever was signed in is.
func TestTheRegistryMoves(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		kills := 6
		if testing.Short() {
			kills = 2
		}
		data, luck := dataDir(t), seeded(t)
		env := []string{"TENANTRY_PLACEMENT_LEASE=200ms", "TENANTRY_DELETION_RETENTION=24h", "TENANTRY_CLUSTERS_DEFAULT_SHARDS=2"}
		first := serve(t, data, env...)
		h := settle(t, first)
		database := s.Database(t)
		url := s.URL(database)
		said := migrate(t, nil, env, "--data-dir", data, "--to", url, "--dry-run") // beside the server
		if !strings.Contains(said, "Dry run: nothing was changed") || !strings.Contains(said, "Room: about ") || !strings.Contains(said, "are free there") {
			t.Errorf("the dry run says:\n%s", said)
		}
		// The stand-in makes a collection for an update that finds nothing.
		made, err := s.Client().Database(database).ListCollectionNames(t.Context(), bson.D{})
		for _, name := range made {
			if err := s.Client().Database(database).Collection(name).FindOne(t.Context(), bson.D{}).Err(); name != "schema" || err == nil {
				t.Errorf("the dry run made the collection %s (%v)", name, err)
			}
		}
		if err != nil {
			t.Error(err)
		}
		stopped(t, first)

		said = migrate(t, luck.times(kills), env, "--data-dir", data, "--to", url)
		for _, word := range []string{filepath.Join(data, "seal.key"), "The cluster default is a folder on this machine", "tenantry cluster drain default --to NAME", "registry.url"} {
			if !strings.Contains(said, word) {
				t.Errorf("it does not say %q:\n%s", word, said)
			}
		}
		refusedToServe(t, data, "the registry was moved to mongodb://", env...)

		there := append(env, "TENANTRY_REGISTRY_URL="+url)
		second := serve(t, data, there...)
		h.lives(t, second)
		next := second.want(http.StatusOK, "POST", "/v1/auth/login", "", map[string]string{"email": email("Acme"), "password": password})
		stopped(t, second)

		// Back, and what was written there comes along.
		migrate(t, luck.times(kills), there, "--data-dir", data, "--to", "sqlite:registry.db")
		refusedToServe(t, data, "the registry was moved to sqlite:", there...)
		third := serve(t, data, env...)
		third.login("New")
		third.login("Org 7")
		third.want(http.StatusOK, "GET", "/v1/organizations/acme/documents/d3", next.Text("access_token"), nil)
		third.want(http.StatusOK, "POST", "/v1/auth/refresh", "", map[string]string{"refresh_token": next.Text("refresh_token")})
		stopped(t, third)
		if left := query(t, open(t, filepath.Join(data, "registry.db")), `SELECT state FROM migration`); fmt.Sprint(left) != "[[open]]" {
			t.Errorf("the mark is %v", left)
		}
	})
}

func stopped(t *testing.T, s *server) {
	t.Helper()
	if err := s.stop(); err != nil {
		t.Fatalf("serve ended with %v", err)
	}
}

// refusedToServe starts a server, which must end at once and say why.
func refusedToServe(t *testing.T, data, why string, env ...string) {
	t.Helper()
	s := launch(t, data, env...)
	select {
	case <-s.done:
	case <-time.After(30 * time.Second):
		t.Fatal("a server works on a registry that was moved")
	}
	var exit *exec.ExitError
	if !errors.As(s.err, &exit) || exit.ExitCode() != 4 || !strings.Contains(s.log.String(), why) {
		t.Errorf("serve ended with %v:\n%s", s.err, s.log)
	}
}
