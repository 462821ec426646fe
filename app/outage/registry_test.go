package outage_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tenantry/app/config"
	"tenantry/app/mongodb/mongotest"
)

// The way to the registry fails under load. Nobody is served for longer than the
// lease; what was acknowledged is there, and what was begun is ended or undone
// when the registry is back, without a restart.
func TestTheWayToTheRegistryFails(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timeouts, again and again")
	}
	t.Parallel()
	eachMongoDB(t, func(t *testing.T, m *mongotest.Server) {
		p := before(t, m.Primary(t))
		s := open(t, func(c *config.Config) {
			c.Registry.URL = m.Through(p.Listen, m.Database(t)) + impatient
			c.Clusters = map[string]config.Cluster{"near": at("sqlite:near")}
			c.Placement.Cluster = "near"
			c.HTTP.RequestTimeout = 10 * time.Second
		})
		s.create("Near", "near")
		work := begin(6, &book{t: t, servers: []*site{s}, org: "near", cluster: "near", token: s.login("Near"), founding: 2})
		work.goesOn(t, "it begins")
		for _, f := range faults {
			if f.leaves == slowly {
				continue // TestTheWayToAClusterFails has it, and here everything is remembered
			}
			end := p.begin(f)
			if f.leaves == some {
				work.isAnswered(t, "everybody is answered: "+f.name)
			} else {
				await(t, "nothing waits for the registry: "+f.name, work.refusedAtOnce)
				a := s.want(http.StatusServiceUnavailable, "GET", "/readyz", "", nil)
				if !strings.Contains(a.Body, `{"name":"registry","status":"failing"`) || !strings.Contains(a.Body, `{"name":"cluster near","status":"ok"`) {
					t.Errorf("%s: readiness says %s", f.name, a)
				}
			}
			end()
			work.goesOn(t, "it goes on after: "+f.name)
		}
		work.end(t, s)
	})
}
