package cli_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app/mongodb/mongotest"
)

// clusterOf gives what a server says of a cluster; nil where it does not know it.
func (s *server) clusterOf(name string) map[string]any {
	s.t.Helper()
	list := s.want(http.StatusOK, "GET", "/v1/clusters", s.Key, nil)
	items, _ := list.JSON["items"].([]any)
	for _, item := range items {
		if k, _ := item.(map[string]any); k["name"] == name {
			return k
		}
	}
	return nil
}

// A cluster that is added at one of three servers is served by all of them within
// a lease, and an organization there by each of them at once.
func TestAddedClusterIsServedByAll(t *testing.T) {
	const lease = time.Second
	eachMongoDB(t, func(t *testing.T, s *mongotest.Server) {
		env := append(onMongoDB(t, s), "TENANTRY_SIGNUP=open")
		servers := threeServers(t, env)
		a, b, c := servers[0], servers[1], servers[2]
		url := s.URL(s.Database(t))
		add := func(o *server, want int, name, url string) answer {
			t.Helper()
			return o.want(want, "POST", "/v1/clusters", a.Key, map[string]any{"name": name, "url": url, "max_namespaces": 50})
		}
		if refused := add(a, http.StatusUnprocessableEntity, "eu", "sqlite:eu"); !strings.Contains(refused.Body, "machine of one of them") {
			t.Errorf("a folder: %s", refused.Body)
		}
		for what, url := range map[string]string{"registry": env[0], "cluster default": env[1]} {
			_, url, _ = strings.Cut(url, "=")
			if refused := add(a, http.StatusConflict, "eu", url); refused.Text("code") != "cluster_place_occupied" {
				t.Errorf("the place of the %s: %s", what, refused.Body)
			}
		}
		add(a, http.StatusCreated, "eu", url)
		if refused := add(b, http.StatusConflict, "eu", s.URL(s.Database(t))); refused.Text("code") != "cluster_name_taken" {
			t.Errorf("the same name again: %s", refused.Body)
		}
		// Before the others may have heard of it.
		a.want(http.StatusCreated, "POST", "/v1/organizations", a.Key, fmt.Sprintf(
			`{"name":"There","owner":{"email":%q,"password":%q},"placement":{"cluster":"eu"}}`, email("There"), password))
		for i, o := range []*server{b, c} {
			token := o.login("There")
			o.want(http.StatusCreated, "POST", "/v1/organizations/there/documents", token, fmt.Sprintf(`{"type":"n","id":"d%d","data":{}}`, i))
		}
		time.Sleep(lease)
		for _, o := range servers {
			k := o.clusterOf("eu")
			if k == nil || k["origin"] != "added" || k["status"] != "ok" || k["documents"] != 2.0 {
				t.Errorf("one of the servers says: %v", k)
			}
		}
		// One that starts later serves it, too.
		d := serve(t, dataDir(t), env...)
		d.want(http.StatusOK, "GET", "/v1/organizations/there/documents/d1", a.login("There"), nil)
		for _, o := range append(servers, d) {
			if strings.Contains(o.log.String(), url) {
				t.Error("the URL is in a log")
			}
		}
	})
}

// One place is added under two names through two servers at once: there is one
// cluster, and the other is refused. So is one that comes later, and the place is
// free when that one is gone.
func TestOnePlaceIsOneCluster(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		env := append(onMongoDB(t, s), "TENANTRY_PLACEMENT_LEASE=200ms")
		servers := []*server{serve(t, dataDir(t), env...), serve(t, dataDir(t), env...)}
		key := servers[0].Key
		add := func(o *server, name, url string) answer {
			a, err := o.try("POST", "/v1/clusters", key, map[string]any{"name": name, "url": url})
			if err != nil {
				t.Error(err)
			}
			return a
		}
		refused := func(a answer) {
			t.Helper()
			if a.Status != http.StatusConflict || a.Text("code") != "cluster_place_occupied" {
				t.Errorf("a place that is taken: %s", a)
			}
		}
		urls := make([]string, 6)
		var wg sync.WaitGroup
		for i := range urls {
			urls[i] = s.URL(s.Database(t))
			wg.Go(func() {
				var answers [2]answer
				var both sync.WaitGroup
				for j, o := range servers {
					both.Go(func() { answers[j] = add(o, fmt.Sprintf("c%d-%d", i, j), urls[i]) })
				}
				both.Wait()
				won := slices.IndexFunc(answers[:], func(a answer) bool { return a.Status == http.StatusCreated })
				if won < 0 {
					t.Errorf("neither was added: %s, %s", answers[0], answers[1])
					return
				}
				refused(answers[1-won])
				refused(add(servers[won], fmt.Sprintf("d%d", i), urls[i]))
			})
		}
		wg.Wait()
		list := servers[1].want(http.StatusOK, "GET", "/v1/clusters", key, nil)
		items, _ := list.JSON["items"].([]any)
		if len(items) != 1+len(urls) {
			t.Errorf("there are %d clusters, want %d", len(items), 1+len(urls))
		}
		for j := range servers {
			if a, err := servers[j].try("DELETE", fmt.Sprintf("/v1/clusters/c0-%d", j), key, nil); err != nil || a.Status >= http.StatusInternalServerError {
				t.Errorf("remove: %v %s", err, a)
			}
		}
		waitUntil(t, func() bool { return add(servers[0], "again", urls[0]).Status == http.StatusCreated })
	})
}

// What is added is away when a server starts: it starts, and serves the rest.
func TestAddedClusterIsAwayAtTheStart(t *testing.T) {
	registry := mongotest.Shared(t, mongotest.Standalone)
	far := mongotest.Start(t, mongotest.Standalone, "--sync-on-commit") // it is killed
	env := onMongoDB(t, registry)
	a := serve(t, dataDir(t), env...)
	a.want(http.StatusCreated, "POST", "/v1/clusters", a.Key, map[string]any{"name": "far",
		"url": far.URL("away")})
	a.want(http.StatusCreated, "POST", "/v1/organizations", a.Key, fmt.Sprintf(
		`{"name":"Far","owner":{"email":%q,"password":%q},"placement":{"cluster":"far"}}`, email("Far"), password))
	a.create("Near")
	key := a.Key
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	back := far.Crasher(t)()
	b := launch(t, dataDir(t), env...)
	b.Key = key
	waitUntil(t, func() bool { return strings.Contains(b.log.String(), "serving") })
	b.want(http.StatusOK, "GET", "/v1/organizations/near/documents", b.login("Near"), nil)
	b.want(http.StatusServiceUnavailable, "GET", "/v1/organizations/far/documents", b.login("Far"), nil)
	if k := b.clusterOf("far"); k == nil || k["status"] != "failing" {
		t.Errorf("while it is away: %v", k)
	}
	back()
	waitUntil(t, func() bool { return b.clusterOf("far")["status"] == "ok" })
	b.want(http.StatusOK, "GET", "/v1/organizations/far/documents", b.login("Far"), nil)
}

// 64 organizations are created, through three servers, while one of these removes
// the cluster that they are to live in: it is refused, or nobody lives there.
func TestRemovalAgainstCreations(t *testing.T) {
	if testing.Short() {
		t.Skip("three servers, three times, for each kind")
	}
	eachMongoDB(t, func(t *testing.T, s *mongotest.Server) {
		servers := threeServers(t, onMongoDB(t, s))
		key, n := servers[0].Key, 0
		outcomes := map[int]int{}
		for round := range 3 {
			name := fmt.Sprintf("eu-%d", round)
			servers[0].want(http.StatusCreated, "POST", "/v1/clusters", key, map[string]any{"name": name, "url": s.URL(s.Database(t))})
			var working sync.WaitGroup
			var mu sync.Mutex
			made := map[string]bool{}
			for range 64 {
				n++
				slug, o := fmt.Sprintf("org-%d", n), servers[n%len(servers)]
				begin := time.Duration(rand.IntN(1500)) * time.Millisecond
				working.Go(func() {
					time.Sleep(begin)
					a, err := o.try("POST", "/v1/organizations", key, fmt.Sprintf(
						`{"name":%q,"owner":{"email":%q,"password":%q},"placement":{"cluster":%q}}`, slug, email(slug), password, name))
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err != nil:
						t.Error(err)
					case a.Status == http.StatusCreated:
						made[slug] = true
					case a.Status != http.StatusServiceUnavailable && a.Status != http.StatusUnprocessableEntity:
						t.Errorf("%s: %d %s", slug, a.Status, a.Body)
					}
				})
			}
			// At the very beginning, before anybody has come, it may go.
			time.Sleep(time.Duration(rand.IntN(1+round*100)) * time.Millisecond)
			removed, err := servers[2].try("DELETE", "/v1/clusters/"+name, key, nil)
			working.Wait()
			if err != nil {
				t.Fatal(err)
			}
			outcomes[removed.Status]++
			list := servers[1].want(http.StatusOK, "GET", "/v1/organizations?count=true&cluster="+name, key, nil)
			lives, _ := list.JSON["total"].(float64)
			switch {
			case removed.Status == http.StatusOK && (lives > 0 || len(made) > 0):
				t.Errorf("removed, and %v organizations live there, %d of which were acknowledged", lives, len(made))
			case removed.Status != http.StatusOK && removed.Text("code") != "cluster_inhabited":
				t.Errorf("the removal: %d %s", removed.Status, removed.Body)
			case int(lives) != len(made):
				t.Errorf("%v organizations live there, and %d were acknowledged", lives, len(made))
			}
			for slug := range made {
				servers[0].want(http.StatusCreated, "POST", "/v1/organizations/"+slug+"/documents", servers[1].login(slug), `{"type":"n","data":{}}`)
				break
			}
		}
		t.Logf("outcomes of the removals: %v", outcomes)
		if out, err := command(t, nil, "doctor", "--data-dir", servers[1].Data).CombinedOutput(); err != nil {
			t.Errorf("doctor: %v\n%s", err, out)
		}
	})
}
