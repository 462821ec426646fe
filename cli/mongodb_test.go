package cli_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app/mongodb/mongotest"
)

// onMongoDB is the environment of servers whose registry and cluster are in
// databases of the test's own.
func onMongoDB(t *testing.T, s *mongotest.Server) []string {
	return []string{
		"TENANTRY_REGISTRY_URL=" + s.URL(s.Database(t)),
		"TENANTRY_CLUSTERS_DEFAULT_URL=" + s.URL(s.Database(t)),
		"TENANTRY_SEAL_KEY=" + sealKey('k'),
	}
}

func sealKey(c byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{c}, 32)) }

func eachMongoDB(t *testing.T, f func(t *testing.T, s *mongotest.Server)) {
	for _, kind := range mongotest.Kinds() {
		t.Run(string(kind), func(t *testing.T) { f(t, mongotest.Shared(t, kind)) })
	}
}

func TestVerifyOnMongoDB(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, s *mongotest.Server) {
		all := onMongoDB(t, s)
		for name, env := range map[string][]string{
			"registry and cluster": all, "registry alone": {all[0], all[2]}, "cluster alone": {all[1], all[2]},
		} {
			server := serve(t, dataDir(t), env...)
			cmd := command(t, []string{"TENANTRY_KEY=" + server.Key}, "verify", "--url", server.URL)
			if name == "cluster alone" {
				cmd.Env = append(cmd.Env, "TENANTRY_KEY="+server.Key)
			}
			if server.Key == "" { // the registry has one already
				cmd = command(t, nil, "verify", "--url", server.URL)
			}
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "passed") {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
			if err := server.stop(); err != nil {
				t.Errorf("%s: serve ended with %v", name, err)
			}
		}
	})
}

// A server with MongoDB's protocol and little else: what it lacks is named when
// the program starts, everything but moving works, and that is refused.
func TestVerifyOnWhatLacksEverything(t *testing.T) {
	full := mongotest.Shared(t, mongotest.ReplicaSet)
	server := serve(t, dataDir(t), onMongoDB(t, full.Lacking(t, mongotest.Everything...))...)
	for _, want := range []string{`no transactions","at":"registry"`, `no indexes about some documents only","at":"registry"`,
		`no joins ($lookup and $unionWith)","at":"registry"`, `no validators","at":"registry"`, `no validators","at":"cluster \"default\""`} {
		if !strings.Contains(server.log.String(), want) {
			t.Errorf("the start does not say %s", want)
		}
	}
	key := []string{"TENANTRY_KEY=" + server.Key, "TENANTRY_URL=" + server.URL}
	out, err := command(t, key, "verify", "--url", server.URL).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "passed") {
		t.Errorf("verify: %v\n%s", err, out)
	}
	for _, args := range [][]string{
		{"org", "create", "acme", "--email", "a@acme.example", "--password-stdin", "--url", server.URL},
		{"org", "relocate", "acme", "--isolation", "shared", "--dry-run", "--url", server.URL},
		{"org", "relocate", "acme", "--isolation", "shared", "--url", server.URL},
	} {
		cmd := command(t, key, args...)
		cmd.Stdin = strings.NewReader("correct horse battery\n")
		out, err := cmd.CombinedOutput()
		if refused := args[1] == "relocate"; refused != (err != nil) || refused && !strings.Contains(string(out), "does not keep validators") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// threeServers are three processes on one registry; the first has the key.
func threeServers(t *testing.T, env []string) []*server {
	t.Helper()
	servers := make([]*server, 3)
	for i := range servers {
		servers[i] = serve(t, dataDir(t), env...)
	}
	for _, s := range servers {
		s.Key = servers[0].Key
	}
	return servers
}

// Many clients create the same names through all servers at once.
func TestOneNameThroughThreeServers(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, s *mongotest.Server) {
		servers := threeServers(t, onMongoDB(t, s))
		const names, clients = 4, 64
		var mu sync.Mutex
		won := map[string]int{}
		var wg sync.WaitGroup
		for c := range clients {
			wg.Go(func() {
				name := fmt.Sprintf("Prize %d", c%names)
				a, err := servers[c%len(servers)].try("POST", "/org/create", "", map[string]string{
					"organization_name": name, "email": fmt.Sprintf("c%d@test.example", c), "password": password})
				switch {
				case err != nil:
					t.Error(err)
				case a.Status == http.StatusCreated:
					mu.Lock()
					won[name]++
					mu.Unlock()
				case a.JSON["code"] != "organization_name_taken":
					t.Errorf("%s: %d %s", name, a.Status, a.Body)
				}
			})
		}
		wg.Wait()
		for i := range names {
			if name := fmt.Sprintf("Prize %d", i); won[name] != 1 {
				t.Errorf("%s has %d winners", name, won[name])
			}
		}
		list := servers[1].want(http.StatusOK, "GET", "/v1/organizations?limit=100", servers[1].Key, nil)
		if items, _ := list.JSON["items"].([]any); len(items) != names {
			t.Errorf("%d organizations are listed, want %d", len(items), names)
		}
	})
}

// What is changed on one server is in force on the others when the lease has
// passed. A slow machine only makes that easier.
func TestChangesAreInForceElsewhere(t *testing.T) {
	const lease = time.Second
	eachMongoDB(t, func(t *testing.T, s *mongotest.Server) {
		servers := threeServers(t, onMongoDB(t, s))
		a, others := servers[0], servers[1:]
		for _, name := range []string{"Suspended", "Renamed", "Deleted", "Password"} {
			a.create(name)
		}
		tokens := map[string]string{}
		for _, name := range []string{"Suspended", "Renamed", "Deleted", "Password"} {
			tokens[name] = a.login(name)
		}
		key := a.want(http.StatusCreated, "POST", "/v1/operator-keys", a.Key, map[string]string{"name": "revoked"})
		get := func(o *server, status int, slug, token string) {
			t.Helper()
			o.want(status, "GET", "/v1/organizations/"+slug, token, nil)
		}
		for _, o := range others { // now they remember
			for name, token := range tokens {
				get(o, http.StatusOK, strings.ToLower(name), token)
			}
			get(o, http.StatusOK, "renamed", key.Text("key"))
		}
		doc := "/documents"
		a.want(http.StatusCreated, "POST", "/v1/organizations/renamed"+doc, tokens["Renamed"], `{"type":"n","id":"d","data":{"k":1}}`)
		others[0].want(http.StatusOK, "GET", "/v1/organizations/renamed"+doc+"/d", tokens["Renamed"], nil)

		a.want(http.StatusOK, "POST", "/v1/organizations/suspended/suspend", a.Key, nil)
		a.want(http.StatusOK, "PATCH", "/v1/organizations/renamed", tokens["Renamed"], map[string]string{"name": "Another"})
		a.want(http.StatusOK, "PUT", "/org/update", tokens["Password"], map[string]string{"organization_name": "Password", "password": password + "-new"})
		a.want(http.StatusNoContent, "DELETE", "/v1/organizations/deleted", tokens["Deleted"], nil)
		a.want(http.StatusNoContent, "DELETE", "/v1/operator-keys/"+key.Text("id"), a.Key, nil)
		time.Sleep(lease)
		for _, o := range others {
			get(o, http.StatusForbidden, "suspended", tokens["Suspended"])
			get(o, http.StatusNotFound, "renamed", tokens["Renamed"])
			get(o, http.StatusOK, "another", tokens["Renamed"])
			get(o, http.StatusUnauthorized, "password", tokens["Password"])
			get(o, http.StatusUnauthorized, "deleted", tokens["Deleted"])
			get(o, http.StatusUnauthorized, "another", key.Text("key"))
			o.want(http.StatusOK, "GET", "/v1/organizations/another"+doc+"/d", tokens["Renamed"], nil)
			o.want(http.StatusCreated, "POST", "/v1/organizations/another"+doc, tokens["Renamed"], `{"type":"n","data":{"k":2}}`)
		}
		// Who takes the old name next inherits nothing.
		others[0].want(http.StatusCreated, "POST", "/org/create", "", map[string]string{
			"organization_name": "Renamed", "email": "next@test.example", "password": password})
		a.want(http.StatusNotFound, "GET", "/v1/organizations/renamed", tokens["Renamed"], nil)
		a.want(http.StatusOK, "GET", "/v1/organizations/another"+doc+"/d", tokens["Renamed"], nil)
	})
}

// What a killed server had begun is ended by another.
func TestAnotherServerEndsWhatAKilledOneBegan(t *testing.T) {
	if testing.Short() {
		t.Skip("waits until leases run out")
	}
	eachMongoDB(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		if s.Kind != mongotest.Given {
			// One of its own: the stand-in waits for the transactions of killed clients
			// when their database is dropped.
			s = mongotest.Start(t, s.Kind, mongotest.ShortTransactions...)
		}
		servers := threeServers(t, onMongoDB(t, s))
		a, b := servers[0], servers[1]
		var mu sync.Mutex
		var acknowledged []string
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				for n := 0; ; n++ {
					name := fmt.Sprintf("org-%d-%d", i, n)
					answer, err := a.try("POST", "/org/create", "", map[string]string{
						"organization_name": name, "email": email(name), "password": password})
					if err != nil {
						return // killed
					}
					if answer.Status == http.StatusCreated {
						mu.Lock()
						acknowledged = append(acknowledged, name)
						mu.Unlock()
					}
				}
			})
		}
		time.Sleep(700 * time.Millisecond)
		a.kill()
		wg.Wait()
		// The lease, and what the database itself waits until it gives free what the
		// dead server's transactions hold: a minute, where nobody has set it.
		deadline := time.Now().Add(3 * time.Minute)
		for {
			open := b.want(http.StatusOK, "GET", "/v1/operations?state=running", b.Key, nil)
			if fmt.Sprint(open.JSON["items"]) == "[]" {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("still open: %s", open.Body)
			}
			time.Sleep(100 * time.Millisecond)
		}
		for _, name := range acknowledged {
			b.want(http.StatusOK, "POST", "/admin/login", "", map[string]string{"email": email(name), "password": password})
		}
		t.Logf("%d acknowledged organizations, all can sign in", len(acknowledged))
		out, err := command(t, nil, "doctor", "--data-dir", servers[2].Data).CombinedOutput()
		if err != nil {
			t.Errorf("doctor: %v\n%s", err, out)
		}
	})
}

// A server with another seal key cannot read what the registry holds.
func TestAnotherSealKeyIsRefused(t *testing.T) {
	s := mongotest.Shared(t, mongotest.ReplicaSet)
	env := onMongoDB(t, s)
	serve(t, dataDir(t), env...)
	env[2] = "TENANTRY_SEAL_KEY=" + sealKey('x')
	code, said := launch(t, dataDir(t), env...).ended()
	if code != 4 || !strings.Contains(said, "another seal key") {
		t.Fatalf("exit code %d, said: %s", code, said)
	}
	code, said = launch(t, dataDir(t), "TENANTRY_REGISTRY_URL=mongodb://u:geheim@127.0.0.1:1/?serverSelectionTimeoutMS=300").ended()
	if code != 5 || !strings.Contains(said, "registry: No primary") || strings.Contains(said, "geheim") {
		t.Fatalf("exit code %d, said: %s", code, said)
	}
}
