package outage_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app/config"
	"tenantry/app/mongodb/mongotest"
)

// While an organization is moved, the way of the server that moves it to one of
// the clusters is cut, at the beginning of each phase. Other servers serve the
// organization meanwhile, writes held included; other clusters are served by all
// of them; and the relocation goes on, whoever does it.
func TestTheWayOfTheMoverIsCut(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timeouts, again and again")
	}
	t.Parallel()
	kinds := mongotest.Kinds()
	if !whole() {
		kinds = kinds[:1]
	}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			d := newDetour(t, kind)
			org, token := d.sites[0].settle("Ledger", place{"one", "collection"})
			there := d.sites[0].furnish("ledger", token, 300)
			d.sites[0].settle("Near", place{"near", "collection"})
			near := begin(4, &book{t: t, servers: d.sites, org: "near", token: d.sites[0].login("Near"), brief: true, pace: unhurried})
			var work []*load // through each server
			for i, s := range d.sites {
				b := &book{t: t, servers: []*site{s}, org: "ledger", token: token, brief: true, pace: unhurried, name: strings.Repeat("x", i)}
				work = append(work, begin(8, b))
			}
			for _, turn := range []struct {
				to    place
				cut   string
				fault fault
			}{
				{place{"two", "shared"}, "one", fault{name: "cut of the source"}},
				{place{"one", "database"}, "one", fault{name: "black hole before the target", toxic: "timeout", stream: "downstream", attributes: object{"timeout": 0}}},
			} {
				began := time.Now()
				cuts := []string{"copying", "catching_up", "cutover", "switched"}
				d.expect(turn.cut, turn.fault, cuts...)
				op := d.sites[0].relocate(org, turn.to)
				for range cuts {
					at := d.cutIs(t)
					other := 1 - at.server
					work[other].goesOn(t, at.phase+": the other server serves the organization; "+turn.fault.name)
					near.goesOn(t, at.phase+": the other cluster is served; "+turn.fault.name)
					work[at.server].isAnswered(t, at.phase+": nobody waits for ever; "+turn.fault.name)
					at.end()
					t.Logf("%v: %s at server %d, in %s", time.Since(began).Round(time.Second/10), turn.fault.name, at.server, at.phase)
				}
				comes(t, op, d.sites, "switched")
				d.sites[0].turn(op, "complete")
				comes(t, op, d.sites, "completed")
			}
			if refused := near.refused(); refused > 0 {
				t.Errorf("the other cluster refused %d times", refused)
			}
			near.end(t, d.sites...)
			for _, w := range work {
				w.end(t, d.sites...)
			}
			there.check(d.sites[1])
			alone(t, org, d.databases...)
		})
	}
}

// detour is two servers with ways of their own to the clusters "one" and "two",
// which can be cut at the instant when a phase of a relocation is recorded.
type detour struct {
	sites     []*site
	databases []*mongotest.Server
	ways      []map[string]*proxy // of each server, by cluster

	mu     sync.Mutex
	way    string
	fault  fault
	phases []string
	cuts   chan cut
}

// cut is one that has been made.
type cut struct {
	server int
	phase  string
	end    func()
}

func newDetour(t *testing.T, kind mongotest.Kind) *detour {
	t.Helper()
	d := &detour{databases: []*mongotest.Server{server(t, kind), second(t, kind)}, cuts: make(chan cut, 8)}
	first, other := d.databases[0], d.databases[1]
	registry, near, one, two := first.Database(t), first.Database(t), first.Database(t), other.Database(t)
	for i := range 2 {
		ways := map[string]*proxy{"one": before(t, first.Primary(t)), "two": before(t, other.Primary(t))}
		toRegistry := mongotest.Between(t, first.Primary(t))
		toRegistry.Judge(func(c mongotest.Command) *mongotest.Interference {
			d.recorded(i, c)
			return nil
		})
		d.ways = append(d.ways, ways)
		d.sites = append(d.sites, open(t, func(c *config.Config) {
			c.Registry.URL = first.Through(toRegistry.Address, registry)
			c.Clusters = map[string]config.Cluster{"near": at(first.URL(near)),
				"one": at(first.Through(ways["one"].Listen, one) + impatient), "two": at(other.Through(ways["two"].Listen, two) + impatient)}
			c.Placement.Cluster = "near"
			c.HTTP.RequestTimeout = 30 * time.Second
			c.CutoverTimeout = 20 * time.Second
			c.OperationWait = 10 * time.Millisecond
			c.RelocationDocumentsPerSecond = 300
		}))
	}
	d.sites[1].key = d.sites[0].key
	return d
}

// expect has the way to a cluster cut as each of the phases begins.
func (d *detour) expect(way string, f fault, phases ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.way, d.fault, d.phases = way, f, phases
}

// recorded cuts the way of a server that is about to record the next phase.
func (d *detour) recorded(server int, c mongotest.Command) {
	if c.Name != "update" && c.Name != "findAndModify" && c.Name != "bulkWrite" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.phases) == 0 {
		return
	}
	said := c.Body.String()
	for _, document := range c.Documents {
		said += document.String()
	}
	if !strings.Contains(said, `\"`+d.phases[0]+`\"`) {
		return
	}
	d.cuts <- cut{server, d.phases[0], d.ways[server][d.way].begin(d.fault)}
	d.phases = d.phases[1:]
}

// cutIs waits until the next cut is made.
func (d *detour) cutIs(t *testing.T) cut {
	t.Helper()
	select {
	case c := <-d.cuts:
		return c
	case <-time.After(2 * time.Minute):
		for _, s := range d.sites {
			t.Log(s.want(http.StatusOK, "GET", "/v1/operations?kind=relocate", s.key, nil))
		}
		t.Fatal("the relocation does not come to the next phase")
		return cut{}
	}
}
