package outage_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tenantry/app/config"
	"tenantry/app/mongodb/mongotest"
)

// The way to one cluster fails under load, in every way that Toxiproxy knows.
// What was acknowledged is there once, what was refused not half; the cluster's
// circuit opens where nothing comes through; the organizations of the other
// cluster are served as fast as before; and service resumes by itself.
func TestTheWayToAClusterFails(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timeouts, again and again")
	}
	t.Parallel()
	eachMongoDB(t, func(t *testing.T, m *mongotest.Server) {
		p := before(t, m.Primary(t))
		s := open(t, func(c *config.Config) {
			c.Registry.URL = m.URL(m.Database(t))
			c.Clusters = map[string]config.Cluster{"far": at(m.Through(p.Listen, m.Database(t)) + impatient), "near": at("sqlite:near")}
			c.Placement.Cluster = "near"
			c.HTTP.RequestTimeout = 10 * time.Second
		})
		s.create("Far", "far")
		s.create("Near", "near")
		far := begin(8, &book{t: t, servers: []*site{s}, org: "far", cluster: "far", token: s.login("Far")})
		near := begin(4, &book{t: t, servers: []*site{s}, org: "near", token: s.login("Near")})
		apart := open(t, func(*config.Config) {})
		apart.create("Near", config.DefaultCluster)
		control := begin(4, &book{t: t, servers: []*site{apart}, org: "near", token: apart.login("Near")})
		far.goesOn(t, "it begins")
		for _, f := range faults {
			if m.Kind == mongotest.Standalone && f.leaves == slowly {
				continue // what a server without retryable writes does otherwise is lose answers
			}
			began, usual := time.Now(), near.speed(t, control)
			end := p.begin(f)
			switch f.leaves {
			case slowly:
				far.goesOn(t, "it goes on, if slowly: "+f.name)
			case some:
				far.isAnswered(t, "everybody is answered: "+f.name)
			case nothing:
				await(t, "nothing waits for the cluster: "+f.name, far.refusedAtOnce)
			}
			during := near.speed(t, control)
			if during < usual/2 {
				t.Errorf("%s: the other cluster is served at %.0f %% of its speed", f.name, 100*during/usual)
			}
			end()
			far.goesOn(t, "it goes on after: "+f.name)
			t.Logf("%s: the other cluster is served at %.0f %% of its speed; %s in all", f.name, 100*during/usual, time.Since(began).Round(100*time.Millisecond))
		}
		if refused := near.refused(); refused > 0 {
			t.Errorf("the other cluster refused %d times", refused)
		}
		near.end(t, s)
		far.end(t, s)
	})
}

// speed is how many writes are acknowledged while the control has so many, which
// is load on a server that has nothing to do with all this: what else the
// machine does slows both.
func (l *load) speed(t *testing.T, control *load) float64 {
	t.Helper()
	const measure = 300
	ours, theirs := l.acknowledged(), control.acknowledged()
	await(t, "the control goes on", func() bool { return control.acknowledged() >= theirs+measure })
	return float64(l.acknowledged()-ours) / float64(control.acknowledged()-theirs)
}

// refusedAtOnce reports whether what is asked waits for the store no more.
func (l *load) refusedAtOnce() bool {
	b := l.books[0]
	b.t.Helper()
	a, err := b.servers[0].try("GET", b.path(""), b.token, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return a.Status == http.StatusServiceUnavailable && strings.Contains(a.Text("detail"), "nothing waits for it")
}
