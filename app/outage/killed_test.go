package outage_test

import (
	"fmt"
	"testing"

	"tenantry/app/config"
	"tenantry/app/mongodb/mongotest"
)

// The database is killed under load and comes back on its files, ten times, and
// nobody starts the two servers anew.
func TestTheDatabaseIsKilledUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("kills servers")
	}
	t.Parallel()
	eachMongoDB(t, func(t *testing.T, m *mongotest.Server) {
		const kills = 10
		crash := m.Crasher(t)
		registry, cluster := m.URL(m.Database(t)), m.URL(m.Database(t))
		stores := func(c *config.Config) {
			c.Registry.URL = registry + soon
			c.Clusters[config.DefaultCluster] = at(cluster + soon)
		}
		a, b := open(t, stores), open(t, stores)
		b.key = a.key
		a.create("Ledger", config.DefaultCluster)
		token := a.login("Ledger")
		kept := func(s *site) *book {
			return &book{t: t, servers: []*site{s}, org: "ledger", cluster: config.DefaultCluster, token: token, forgetful: m.Kind != mongotest.Given}
		}
		work := begin(6, kept(a), kept(b))
		work.goesOn(t, "it begins")
		for kill := range kills {
			back := crash()
			if m.Members() { // the others elect a primary
				work.goesOn(t, "it goes on without it")
			}
			back()
			work.goesOn(t, fmt.Sprintf("it goes on after kill %d", kill+1))
		}
		work.end(t, b, a)
	}, "--sync-on-commit") // or it loses commits: docs/mongodb-gaps.md has the line
}

// soon is for drivers that notice early that a server is back.
const soon = "&serverSelectionTimeoutMS=3000&heartbeatFrequencyMS=500"
