package outage_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app/mongodb/mongotest"
)

// The server that moves an organization is killed at a random instant, again and
// again, in every phase, while 16 clients write through all servers. Another one
// takes over, or it is started again; the organization moves, goes back with what
// was written at the new place, and moves for good. What was acknowledged is
// there, once, and in one place.
func TestTheMoverIsKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		mongoFleet(t, mongotest.Standalone, false).tell(t, place{"default", "collection"}, place{"default", "shared"}, 0, 2)
		return
	}
	type story struct {
		fleet    func(t *testing.T, kind mongotest.Kind, apart bool) *fleet
		kind     mongotest.Kind
		from, to place
		// written is how long is written at the new place before it is left again.
		written time.Duration
	}
	stories := []story{
		{mongoFleet, mongotest.ReplicaSet, place{"default", "collection"}, place{"other", "shared"}, time.Second},
		{mongoFleet, mongotest.Standalone, place{"default", "shared"}, place{"default", "database"}, time.Second},
		{fileFleet, mongotest.ReplicaSet, place{"default", "database"}, place{"other", "collection"}, time.Second},
	}
	if whole() {
		stories = nil
		isolations := []string{"collection", "shared", "database"}
		for _, kind := range mongotest.Kinds() {
			for _, from := range isolations {
				for _, to := range isolations {
					if from != to {
						stories = append(stories, story{mongoFleet, kind, place{"default", from}, place{"default", to}, time.Second})
					}
					stories = append(stories, story{mongoFleet, kind, place{"default", from}, place{"other", to}, time.Second},
						story{fileFleet, kind, place{"default", from}, place{"other", to}, time.Second},
						story{fileFleet, kind, place{"other", from}, place{"default", to}, time.Second})
				}
			}
		}
		stories[0].written = time.Minute
	}
	for _, s := range stories {
		t.Run(fmt.Sprintf("%s %v to %v", s.kind, s.from, s.to), func(t *testing.T) {
			if !whole() {
				t.Parallel()
			}
			kills := 3
			if s.kind == mongotest.Standalone && !whole() {
				kills = 2
			}
			s.fleet(t, s.kind, s.from.cluster != s.to.cluster).tell(t, s.from, s.to, s.written, kills)
		})
	}
}

// fleet is processes on one registry, and the databases that they use.
type fleet struct {
	processes []*process
	databases []*mongotest.Server
	// operations is the registry's collection of them; nil where it is in a file,
	// and there is one process.
	operations *operations
	// held is by whom each process is known as the holder of an operation.
	held  map[*process]string
	began time.Time
}

// terms make a relocation long enough to be met in each of its phases.
var terms = []string{"TENANTRY_RELOCATION_DOCUMENTS_PER_SECOND=200", "TENANTRY_OPERATION_WAIT=10ms", "TENANTRY_PLACEMENT_LEASE=500ms",
	"TENANTRY_CUTOVER_TIMEOUT=20s", "TENANTRY_HTTP_REQUEST_TIMEOUT=30s",
	"TENANTRY_SEAL_KEY=" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{'k'}, 32))}

// mongoFleet is two processes, with the clusters on one server, or on one each.
func mongoFleet(t *testing.T, kind mongotest.Kind, apart bool) *fleet {
	t.Helper()
	first := server(t, kind)
	f := &fleet{databases: []*mongotest.Server{first}, held: map[*process]string{}}
	other := first
	if apart {
		other = second(t, kind)
		f.databases = append(f.databases, other)
	}
	registry := first.Database(t)
	f.operations = &operations{first, registry}
	env := append([]string{"TENANTRY_REGISTRY_URL=" + first.URL(registry),
		"TENANTRY_CLUSTERS_DEFAULT_URL=" + first.URL(first.Database(t)),
		"TENANTRY_CLUSTERS_OTHER_URL=" + other.URL(other.Database(t))}, terms...)
	for range 2 {
		f.processes = append(f.processes, run(t, env...))
	}
	f.processes[1].key = f.processes[0].key
	return f
}

// second is another server than the first; a given one is both.
func second(t *testing.T, kind mongotest.Kind) *mongotest.Server {
	t.Helper()
	if kind == mongotest.Given {
		return mongotest.Shared(t, kind)
	}
	return server(t, kind)
}

// fileFleet is one process, with a cluster in files and one on a server.
func fileFleet(t *testing.T, kind mongotest.Kind, _ bool) *fleet {
	t.Helper()
	m := server(t, kind)
	p := run(t, append([]string{"TENANTRY_CLUSTERS_OTHER_URL=" + m.URL(m.Database(t)), "TENANTRY_CLUSTERS_DEFAULT_URL=sqlite:clusters"}, terms...)...)
	return &fleet{processes: []*process{p}, databases: []*mongotest.Server{m}}
}

func (f *fleet) sites() []*site {
	var all []*site
	for _, p := range f.processes {
		all = append(all, p.site)
	}
	return all
}

// tell tells the story of an organization that moves there, back, and there
// again for good, with so many kills each time.
func (f *fleet) tell(t *testing.T, from, to place, written time.Duration, kills int) {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	f.began = time.Now()
	rnd := rand.New(rand.NewPCG(seed, 0))
	first, sites := f.processes[0], f.sites()
	org, token := first.settle("Ledger", from)
	there := first.furnish("ledger", token, 200)
	work := begin(16, &book{t: t, servers: sites, org: "ledger", token: token, mortal: true, brief: true, pace: unhurried})
	work.goesOn(t, "it begins")

	op := first.relocate(org, to)
	f.learn(t, first, op)
	f.kill(t, rnd, op, kills, "copying", "catching_up", "verifying", "cutover", "switched")
	comes(t, op, sites, "switched")
	work.goesOn(t, "it is served at the new place")
	time.Sleep(written)
	first.turn(op, "revert")
	f.learn(t, first, op)
	f.kill(t, rnd, op, kills/2, "reverting")
	comes(t, op, sites, "reverted")
	work.rest(sites...)
	there.check(first.site)
	first.settles()
	alone(t, org, f.databases...)

	work.resume()
	op = first.relocate(org, to)
	f.learn(t, first, op)
	f.kill(t, rnd, op, kills/2, "verifying", "cutover", "switched")
	comes(t, op, sites, "switched")
	first.turn(op, "complete")
	f.learn(t, first, op)
	if kills > 2 {
		f.kill(t, rnd, op, 1, "switched")
	}
	a := comes(t, op, sites, "completed")
	work.end(t, sites...)
	there.check(first.site)
	alone(t, org, f.databases...)
	t.Logf("%d cutovers, writes held for %v s in all", int(number(a, "cutovers")), number(a, "held_seconds"))
}

// unhurried leaves the stand-in time for the mover.
const unhurried = 200 * time.Millisecond

func number(op answer, field string) float64 {
	r, _ := op.JSON["relocation"].(map[string]any)
	n, _ := r[field].(float64)
	return n
}

// kill kills whoever works on a relocation so many times, each at a random
// instant after it has come to one of the states.
func (f *fleet) kill(t *testing.T, rnd *rand.Rand, op string, kills int, states ...string) {
	t.Helper()
	points := make([]int, kills)
	for i := range points {
		points[i] = slices.Index(phases, states[rnd.IntN(len(states))])
	}
	slices.Sort(points)
	for _, point := range points {
		awaitEvery(t, look, "it comes to "+phases[point], func() bool {
			state, quiet := f.state(t, op)
			return quiet || slices.Index(phases, state) >= point
		})
		time.Sleep(time.Duration(rnd.Int64N(int64(400 * time.Millisecond))))
		state, quiet := f.state(t, op)
		if quiet && state != "switched" {
			return // it has ended
		}
		mover := f.mover(t, op)
		mover.kill()
		t.Logf("%v: killed in %s", time.Since(f.began).Round(time.Second/10), state)
		if len(f.processes) > 1 {
			before := f.held[mover]
			awaitEvery(t, look, "another takes over", func() bool {
				if _, quiet := f.state(t, op); quiet {
					return true
				}
				now := f.operations.holder(t, op)
				return now != "" && now != before
			})
			delete(f.held, mover)
			for _, p := range f.processes {
				if p != mover {
					f.learn(t, p, op)
				}
			}
		}
		mover.start()
	}
}

// state is the state of an operation, and whether nobody has to work on it.
func (f *fleet) state(t *testing.T, op string) (state string, quiet bool) {
	t.Helper()
	for _, p := range f.processes {
		a, err := p.try("GET", "/v1/operations/"+op, p.key, nil)
		if err != nil || a.Status != http.StatusOK {
			continue
		}
		r, _ := a.JSON["relocation"].(map[string]any)
		revertible, _ := r["revertible"].(bool)
		state := a.Text("state")
		if state == "failed" || state == "cancelled" {
			t.Fatalf("it has ended: %s", a)
		}
		return state, revertible || !slices.Contains(phases, state)
	}
	return "", false
}

// mover is who works on an operation.
func (f *fleet) mover(t *testing.T, op string) *process {
	t.Helper()
	if len(f.processes) == 1 {
		return f.processes[0]
	}
	now := f.operations.holder(t, op)
	for _, p := range f.processes {
		if f.held[p] == now {
			return p
		}
	}
	for _, p := range f.processes {
		if f.held[p] == "" {
			return p
		}
	}
	t.Fatalf("nobody is known who works on it as %q: %v", now, f.held)
	return nil
}

// learn remembers that a process works on an operation, if anybody does.
func (f *fleet) learn(t *testing.T, p *process, op string) {
	t.Helper()
	if len(f.processes) > 1 {
		if now := f.operations.holder(t, op); now != "" {
			f.held[p] = now
		}
	}
}

// operations is the registry's collection of them.
type operations struct {
	m        *mongotest.Server
	database string
}

func (o *operations) holder(t *testing.T, op string) string {
	t.Helper()
	var stored struct {
		Holder string `bson:"holder"`
	}
	if err := o.m.Client().Database(o.database).Collection("operations").FindOne(t.Context(), bson.D{{Key: "_id", Value: op}}).Decode(&stored); err != nil {
		t.Fatal(err)
	}
	return stored.Holder
}
