package cli_test

import (
	"fmt"
	"net/http"
	"testing"

	"tenantry/app/mongodb/mongotest"
)

// furnished makes organizations with some documents in a cluster.
func furnished(t *testing.T, s *server, cluster string, n int) []string {
	t.Helper()
	slugs := make([]string, n)
	for i := range slugs {
		slugs[i] = fmt.Sprintf("%s-org-%02d", cluster, i)
		s.made(slugs[i], s.Key, fmt.Sprintf(
			`{"name":%q,"owner":{"email":%q,"password":%q},"placement":{"cluster":%q}}`, slugs[i], email(slugs[i]), password, cluster))
		token := s.login(slugs[i])
		for d := range 3 {
			s.want(http.StatusCreated, "POST", "/v1/organizations/"+slugs[i]+"/documents", token, fmt.Sprintf(`{"type":"n","id":"d%d","data":{}}`, d))
		}
	}
	return slugs
}

// made creates an organization, and waits where that is not done at once.
func (s *server) made(slug, token, body string) {
	s.t.Helper()
	a, err := s.try("POST", "/v1/organizations", token, body)
	if err != nil || a.Status >= 300 {
		s.t.Fatalf("create %s: %v %+v", slug, err, a)
	}
	waitUntil(s.t, func() bool {
		a, err := s.try("GET", "/v1/organizations/"+slug, s.Key, nil)
		return err == nil && a.Status == http.StatusOK
	})
}

func (s *server) place(slug string) string {
	s.t.Helper()
	return s.want(http.StatusOK, "GET", "/v1/organizations/"+slug+"/placement", s.Key, nil).Text("cluster")
}

// left is how many a drain has still to move.
func (s *server) left(op string) (state string, left float64) {
	s.t.Helper()
	a := s.want(http.StatusOK, "GET", "/v1/operations/"+op, s.Key, nil)
	d, _ := a.JSON["drain"].(map[string]any)
	left, _ = d["left"].(float64)
	return a.Text("state"), left
}

// The server that drains a cluster is killed in the middle, and another one goes
// on, while organizations there are suspended, renamed and deleted, and nobody
// moves in any more.
func TestDrainIsEndedByAnotherServer(t *testing.T) {
	if testing.Short() {
		t.Skip("waits until leases run out")
	}
	eachMongoDB(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		if s.Kind != mongotest.Given {
			s = mongotest.Start(t, s.Kind, mongotest.ShortTransactions...)
		}
		servers := threeServers(t, append(onMongoDB(t, s), "TENANTRY_OPERATION_WAIT=10ms", "TENANTRY_PLACEMENT_LEASE=500ms"))
		a, b, c := servers[0], servers[1], servers[2]
		a.want(http.StatusCreated, "POST", "/v1/clusters", a.Key, map[string]any{"name": "eu", "url": s.URL(s.Database(t))})
		const n = 14
		slugs := furnished(t, b, "eu", n)
		began := a.want(http.StatusAccepted, "POST", "/v1/clusters/eu/drain", a.Key, map[string]any{"to": "default", "complete": true})
		op := began.Text("id")
		if again := b.want(http.StatusAccepted, "POST", "/v1/clusters/eu/drain", a.Key, map[string]any{"to": "default", "complete": true}); again.Text("id") != op {
			t.Errorf("the same again is %s, not %s", again.Text("id"), op)
		}
		if other := b.want(http.StatusConflict, "POST", "/v1/clusters/default/drain", a.Key, map[string]any{}); other.Text("code") != "drain_in_progress" {
			t.Errorf("another one: %s", other.Body)
		}
		waitUntil(t, func() bool { _, left := b.left(op); return left < n-1 })
		a.kill()
		if _, left := b.left(op); left == 0 {
			t.Fatal("it was done before the server was killed")
		}
		// The last ones, whose turn is not yet.
		b.want(http.StatusOK, "POST", "/v1/organizations/"+slugs[n-1]+"/suspend", b.Key, nil)
		if gone, err := c.try("DELETE", "/v1/organizations/"+slugs[n-2], b.Key, nil); err != nil || gone.Status >= 300 {
			t.Errorf("delete: %v %+v", err, gone)
		}
		if refused, err := c.try("POST", "/v1/organizations", b.Key, fmt.Sprintf(
			`{"name":"Late","owner":{"email":%q,"password":%q},"placement":{"cluster":"eu"}}`, email("Late"), password)); err != nil || refused.Status != http.StatusUnprocessableEntity {
			t.Errorf("somebody moves in: %v %+v", err, refused)
		}
		var state string
		waitUntil(t, func() bool {
			var left float64
			state, left = b.left(op)
			return state != "running" && left == 0
		})
		if state != "completed" {
			t.Errorf("it is %s: %s", state, b.want(http.StatusOK, "GET", "/v1/operations/"+op, b.Key, nil).Body)
		}
		for i, slug := range slugs {
			if i == n-2 {
				continue
			}
			if at := c.place(slug); at != "default" {
				t.Errorf("%s is in %s", slug, at)
			}
		}
		c.want(http.StatusOK, "GET", "/v1/organizations/"+slugs[0]+"/documents/d2", c.login(slugs[0]), nil)
		b.want(http.StatusOK, "DELETE", "/v1/clusters/eu", b.Key, nil)
		if out, err := command(t, nil, "doctor", "--data-dir", c.Data).CombinedOutput(); err != nil {
			t.Errorf("doctor: %v\n%s", err, out)
		}
	})
}

// On the embedded engine the server that is started next goes on; and a drain that
// is cancelled leaves everybody where they are by then, and the cluster open.
func TestDrainGoesOnAfterAKill(t *testing.T) {
	data := dataDir(t)
	env := []string{"TENANTRY_CLUSTERS_DEFAULT_SHARDS=2", "TENANTRY_OPERATION_WAIT=10ms", "TENANTRY_RELOCATION_DOCUMENTS_PER_SECOND=10"}
	s := serve(t, data, env...)
	key := s.Key
	s.want(http.StatusCreated, "POST", "/v1/clusters", key, map[string]any{"name": "more", "url": "sqlite:more", "shards": 2})
	const n = 12
	slugs := furnished(t, s, "default", n)
	began := s.want(http.StatusAccepted, "POST", "/v1/clusters/default/drain", key, map[string]any{"to": "more"})
	op := began.Text("id")
	waitUntil(t, func() bool { _, left := s.left(op); return left < n })
	s.kill()
	s = serve(t, data, env...)
	s.Key = key
	waitUntil(t, func() bool { state, left := s.left(op); return state == "completed" && left == 0 })
	for _, slug := range slugs {
		if at := s.place(slug); at != "more" {
			t.Errorf("%s is in %s", slug, at)
		}
	}
	// Whose place by the configuration would be the other one.
	s.made("newcomer", "", fmt.Sprintf(`{"name":"newcomer","owner":{"email":%q,"password":%q}}`, email("newcomer"), password))
	if at := s.place("newcomer"); at != "more" {
		t.Errorf("a new organization is in %s", at)
	}

	s.want(http.StatusOK, "POST", "/v1/clusters/default/open", key, nil)
	back := s.want(http.StatusAccepted, "POST", "/v1/clusters/more/drain", key, map[string]any{"to": "default", "complete": true}).Text("id")
	waitUntil(t, func() bool { _, left := s.left(back); return left < n })
	cancelled := s.want(http.StatusOK, "POST", "/v1/operations/"+back+"/cancel", key, nil)
	waitUntil(t, func() bool { state, _ := s.left(back); return state == "cancelled" })
	if k := s.clusterOf("more"); k["state"] != "open" {
		t.Errorf("after it was cancelled: %v (%s)", k, cancelled.Body)
	}
	_, left := s.left(back)
	there := 0
	for _, slug := range append(slugs, "newcomer") {
		if s.place(slug) == "more" {
			there++
		}
	}
	if there == 0 || there != int(left) {
		t.Errorf("%d are there, and it says %v", there, left)
	}
	waitUntil(t, func() bool {
		a := s.want(http.StatusOK, "GET", "/v1/operations?state=running", key, nil)
		items, _ := a.JSON["items"].([]any)
		for _, item := range items {
			if o, _ := item.(map[string]any); o["state"] != "switched" {
				return false
			}
		}
		return true
	})
	if err := s.stop(); err != nil {
		t.Errorf("serve ended with %v", err)
	}
	if out, err := command(t, env, "doctor", "--data-dir", data).CombinedOutput(); err != nil {
		t.Errorf("doctor: %v\n%s", err, out)
	}
}
