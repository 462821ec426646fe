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
			for _, turn := range detours() {
				began := time.Now()
				d.expect(turn)
				op := d.sites[0].relocate(org, turn.to)
				for range turn.cuts {
					made := d.cutIs(t)
					if !turn.all {
						work[1-made.server].goesOn(t, made.at+": the other server serves the organization; "+turn.fault.name)
					}
					near.goesOn(t, made.at+": the other cluster is served; "+turn.fault.name)
					work[made.server].isAnswered(t, made.at+": nobody waits for ever; "+turn.fault.name)
					made.end()
					t.Logf("%v: %s at server %d, in %s", time.Since(began).Round(time.Second/10), turn.fault.name, made.server, made.at)
					if turn.all {
						work[made.server].goesOn(t, made.at+": it goes on after; "+turn.fault.name)
					}
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

// turn is a relocation, and what becomes of the ways to the cluster "one".
type turn struct {
	to    place
	fault fault
	cuts  []string // at which instants
	all   bool     // the way of every server is cut, not only of the one that moves it
}

func detours() []turn {
	blackHole := fault{name: "black hole", toxic: "timeout", stream: "downstream", attributes: object{"timeout": 0}}
	turns := []turn{
		{place{"two", "shared"}, fault{name: "cut of the source"}, []string{"copying", "frozen", "switched"}, false},
		{place{"one", "collection"}, blackHole, []string{"catching_up", "frozen", "switched"}, false},
	}
	if whole() {
		turns = append(turns, turn{place{"two", "database"}, blackHole, []string{"copying", "frozen", "switched"}, true},
			turn{place{"one", "shared"}, fault{name: "cut of the target"}, []string{"copying", "frozen", "switched"}, true})
	}
	return turns
}

// detour is two servers with ways of their own to the cluster "one", which can be
// cut at an instant of a relocation: when a phase of it is recorded, or when the
// writes at that cluster are held.
type detour struct {
	sites     []*site
	databases []*mongotest.Server
	ways      []*proxy // of each server

	mu sync.Mutex
	turn
	held int // how often the next one was seen
	made chan cut
}

// cut is one that has been made.
type cut struct {
	server int
	at     string
	end    func()
}

func newDetour(t *testing.T, kind mongotest.Kind) *detour {
	t.Helper()
	d := &detour{databases: []*mongotest.Server{server(t, kind), second(t, kind)}, made: make(chan cut, 8)}
	first, other := d.databases[0], d.databases[1]
	registry, near, one, two := first.Database(t), first.Database(t), first.Database(t), other.Database(t)
	for i := range 2 {
		d.ways = append(d.ways, before(t, first.Primary(t)))
		toOne := mongotest.Between(t, d.ways[i].Listen)
		toOne.Judge(func(c mongotest.Command) *mongotest.Interference { return d.done(i, c) })
		toRegistry := mongotest.Between(t, first.Primary(t))
		toRegistry.Judge(func(c mongotest.Command) *mongotest.Interference { return d.recorded(i, c) })
		d.sites = append(d.sites, open(t, func(c *config.Config) {
			c.Registry.URL = first.Through(toRegistry.Address, registry)
			c.Clusters = map[string]config.Cluster{"near": at(first.URL(near)),
				"one": at(first.Through(toOne.Address, one) + impatient), "two": at(other.URL(two))}
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

// expect has the ways to the cluster cut at each of the instants.
func (d *detour) expect(t turn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turn, d.held = t, 0
}

// recorded hears what a server says to the registry.
func (d *detour) recorded(server int, c mongotest.Command) *mongotest.Interference {
	return d.said(server, c, func(instant string) bool { return instant != "frozen" && says(c, `\"`+instant+`\"`) })
}

// done hears what it says to the cluster. That writes are held is recorded before
// it is so, and when it is.
func (d *detour) done(server int, c mongotest.Command) *mongotest.Interference {
	return d.said(server, c, func(instant string) bool {
		if instant == "frozen" && says(c, `"frozen"`) {
			d.held++
		}
		return d.held == 2
	})
}

// said cuts the way of a server that says what is waited for.
func (d *detour) said(server int, c mongotest.Command, is func(instant string) bool) *mongotest.Interference {
	if c.Name != "update" && c.Name != "findAndModify" && c.Name != "bulkWrite" {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.cuts) == 0 || !is(d.cuts[0]) {
		return nil
	}
	end := d.ways[server].begin(d.fault)
	if d.all {
		first, other := end, d.ways[1-server].begin(d.fault)
		end = func() { first(); other() }
	}
	d.made <- cut{server, d.cuts[0], end}
	d.cuts, d.held = d.cuts[1:], 0
	return nil
}

// says reports whether a command has some words.
func says(c mongotest.Command, words string) bool {
	if strings.Contains(c.Body.String(), words) {
		return true
	}
	for _, document := range c.Documents {
		if strings.Contains(document.String(), words) {
			return true
		}
	}
	return false
}

// cutIs waits until the next cut is made.
func (d *detour) cutIs(t *testing.T) cut {
	t.Helper()
	select {
	case c := <-d.made:
		return c
	case <-time.After(2 * time.Minute):
		for _, s := range d.sites {
			t.Log(s.want(http.StatusOK, "GET", "/v1/operations?kind=relocate", s.key, nil))
		}
		t.Fatal("the relocation does not come to the next phase")
		return cut{}
	}
}
