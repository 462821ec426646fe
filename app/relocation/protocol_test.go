package relocation_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"tenantry/app"
	"tenantry/app/documents"
	"tenantry/app/relocation"
)

const lease = time.Second

// scene is an organization that is moved by servers that pause, die and are
// overtaken, while writers write through them.
type scene struct {
	stores  map[string]*store
	book    *book
	servers []*server
	writers []*writer
	ctx     context.Context
	running sync.WaitGroup
}

// server is one, with what it remembers.
type server struct {
	registry registry
	mover    *relocation.Mover
	mine     *wire // of its mover; what its writers send arrives and is answered
	writing  map[string]cluster
	docs     *documents.Service

	mu   sync.Mutex
	kept app.Organization
	read time.Time // when it was asked for
}

// Resolve gives what is remembered for no longer than the lease.
func (s *server) Resolve(ctx context.Context, _ app.Actor, _ string, _ app.Permission) (app.Organization, error) {
	s.mu.Lock()
	kept, read := s.kept, s.read
	s.mu.Unlock()
	if !read.IsZero() && time.Since(read) < lease {
		return kept, nil
	}
	sent := time.Now()
	org, err := registry{s.registry.book, calm(sent.UnixNano())}.Organization(ctx)
	if err != nil {
		return org, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept, s.read = org, sent
	return org, nil
}

func (s *server) Located(_ context.Context, org app.Organization) (app.Cluster, app.Namespace, error) {
	return s.writing[org.Placement.Cluster], app.Namespace{Organization: org.ID, Placement: org.Placement}, nil
}

func (s *server) Forget(app.OrganizationID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = time.Time{}
}

// writer has documents that nobody else writes, and knows what they are.
type writer struct {
	n    int
	rnd  *rand.Rand
	has  map[app.DocumentID]app.Document
	held time.Duration // the longest that one of its writes took
}

func calm(seed int64) *wire {
	return &wire{rnd: rand.New(rand.NewPCG(uint64(seed), 0)), short: 3 * time.Millisecond}
}

func newScene(ctx context.Context, seed int64, same bool, there int) *scene {
	rnd := rand.New(rand.NewPCG(uint64(seed), 0))
	org := app.Organization{ID: "org", Revision: 1, State: app.StateActive,
		Placement: app.Placement{Cluster: "a", Isolation: app.IsolationCollection, Database: "x", Generation: 1}}
	target := app.Placement{Cluster: "b", Isolation: app.IsolationShared, Database: "y"}
	if same {
		target = app.Placement{Cluster: "a", Isolation: app.IsolationShared, Database: "x"}
	}
	now := app.Now()
	s := &scene{ctx: ctx, stores: map[string]*store{"a": newStore(), "b": newStore()}, book: &book{org: org, op: app.Operation{
		ID: "op", Kind: app.OperationRelocate, State: app.OperationRunning, OrganizationID: org.ID, Placement: org.Placement,
		Relocation: &app.Relocation{Source: org.Placement, Target: target, Phase: app.RelocationPreflight, Generation: 2, PhaseAt: now},
	}}}
	home := &space{phase: app.PhaseOpen, generation: 1, documents: map[app.DocumentID]app.Document{}, noted: map[app.DocumentID]int64{}}
	s.stores["a"].spaces[key{"org", app.IsolationCollection, "x"}] = home
	for n := range 4 {
		w := &writer{n: n, rnd: rand.New(rand.NewPCG(uint64(rnd.Int64()), 0)), has: map[app.DocumentID]app.Document{}}
		for i := range there / 4 {
			d := app.Document{ID: app.DocumentID(fmt.Sprintf("w%d-%04d", n, i)), Type: "t", Revision: 1, CreatedAt: now, UpdatedAt: now, Data: []byte("{}")}
			home.documents[d.ID], w.has[d.ID] = d, d
		}
		s.writers = append(s.writers, w)
	}
	for range 3 {
		s.servers = append(s.servers, s.newServer(rnd.Int64()))
	}
	return s
}

func (s *scene) newServer(seed int64) *server {
	mine := calm(seed)
	mine.bad = true
	v := &server{registry: registry{s.book, mine}, mine: mine, writing: map[string]cluster{}}
	for name, st := range s.stores {
		v.writing[name] = cluster{store: st, wire: calm(seed + int64(name[0]))}
	}
	v.mover = relocation.New(v.registry, func(_ context.Context, name string) (app.Cluster, error) {
		return cluster{store: s.stores[name], wire: mine}, nil
	}, relocation.Config{PlacementLease: lease, CutoverTimeout: 5 * time.Second, Grace: 20 * time.Second},
		app.Now, slog.New(slog.DiscardHandler))
	v.docs = documents.New(v, app.Now).Holding(time.Hour)
	return v
}

// work is a server's turn at the relocation. What it has sent goes on when it
// dies.
func (s *scene) work(server int) (die func()) {
	ctx, cancel := context.WithCancel(s.ctx)
	s.running.Go(func() {
		_, op := s.book.now()
		_ = s.servers[server].mover.Drive(ctx, op)
	})
	return cancel
}

// write writes and reads until the context ends, and says what is wrong.
func (s *scene) write(ctx context.Context, w *writer) error {
	for i := 0; ctx.Err() == nil; i++ {
		time.Sleep(time.Duration(w.rnd.Int64N(int64(200 * time.Millisecond))))
		through, reading := s.servers[w.rnd.IntN(3)].docs, s.servers[w.rnd.IntN(3)].docs
		id := app.DocumentID(fmt.Sprintf("w%d-%04d", w.n, w.rnd.IntN(400)))
		if err := w.act(s.ctx, through, id, i); err != nil {
			return fmt.Errorf("write %s: %w", id, err)
		}
		got, err := reading.Get(s.ctx, app.Actor{}, "org", string(id))
		want, there := w.has[id]
		switch {
		case errors.Is(err, app.ErrNotFound) && !there:
		case err != nil:
			return fmt.Errorf("read %s at revision %d: %w", id, want.Revision, err)
		case !there || got.Revision != want.Revision || string(got.Data) != string(want.Data):
			return fmt.Errorf("%s was read as %+v after it was acknowledged as %+v", id, got, want)
		}
	}
	return nil
}

func (w *writer) act(ctx context.Context, docs *documents.Service, id app.DocumentID, i int) error {
	began := time.Now()
	defer func() { w.held = max(w.held, time.Since(began)) }()
	data := []byte(fmt.Sprintf(`{"n":%d}`, i))
	_, there := w.has[id]
	var d app.Document
	var err error
	switch {
	case !there:
		d, err = docs.Create(ctx, app.Actor{}, "org", documents.CreateInput{ID: string(id), Type: "t", Data: data})
	case w.rnd.IntN(3) == 0:
		err = docs.Delete(ctx, app.Actor{}, "org", string(id), app.AnyRevision)
		delete(w.has, id)
		return err
	default:
		d, err = docs.Patch(ctx, app.Actor{}, "org", string(id), documents.PatchInput{Patch: data})
	}
	w.has[id] = d
	return err
}

// want compares what is there with what was acknowledged.
func (s *scene) want() error {
	org, op := s.book.now()
	place := s.stores[org.Placement.Cluster].spaces[key{org.ID, org.Placement.Isolation, org.Placement.Database}]
	if place == nil {
		return fmt.Errorf("after %s nothing is at %+v", op.State, org.Placement)
	}
	if place.phase != app.PhaseOpen || place.generation != org.Placement.Generation {
		return fmt.Errorf("after %s the place is %s at generation %d, and the registry says %d",
			op.State, place.phase, place.generation, org.Placement.Generation)
	}
	for _, st := range s.stores {
		for _, other := range st.spaces {
			// What a server that died has sent to make the target, and then to give it
			// a phase, may arrive when all is over. Nobody gets to see that, and nothing
			// gets into it.
			late := len(other.documents) == 0 && other.generation < place.generation
			if other != place && !late {
				return fmt.Errorf("after %s there is another namespace, %s at generation %d", op.State, other.phase, other.generation)
			}
		}
	}
	total := 0
	for _, w := range s.writers {
		total += len(w.has)
		for id, want := range w.has {
			got, there := place.documents[id]
			if !there || got.Revision != want.Revision || string(got.Data) != string(want.Data) {
				return fmt.Errorf("after %s, %s is %+v and was acknowledged as %+v", op.State, id, got, want)
			}
		}
	}
	if len(place.documents) != total {
		return fmt.Errorf("after %s there are %d documents, and %d were acknowledged", op.State, len(place.documents), total)
	}
	return nil
}

// event is something that happens to the scene.
type event struct {
	After  time.Duration
	What   string
	Server int
}

// Whatever happens to the servers, their network and the target's disk, nothing acknowledged is lost, nothing
// deleted comes back, every read sees what was acknowledged before it, and the
// relocation ends in a place that is whole, with nothing left of the other.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Int64().Draw(rt, "seed")
		same := rapid.Bool().Draw(rt, "same cluster")
		there := rapid.SampledFrom([]int{0, 8, 1600}).Draw(rt, "documents")
		events := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) event {
			return event{
				After:  time.Duration(rapid.IntRange(0, 12_000).Draw(rt, "after")) * time.Millisecond,
				What:   rapid.SampledFrom([]string{"overtake", "overtake", "die", "die", "cut", "mend", "cancel", "revert", "complete"}).Draw(rt, "what"),
				Server: rapid.IntRange(0, 2).Draw(rt, "server"),
			}
		}), 0, 10).Draw(rt, "events")
		room := rapid.SampledFrom([]int32{0, 0, 700}).Draw(rt, "room at the target")
		var err error
		synctest.Test(t, func(t *testing.T) { err = play(t.Context(), seed, same, there, room, events) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

func play(ctx context.Context, seed int64, same bool, there int, room int32, events []event) error {
	ctx, cancel := context.WithCancel(ctx)
	s := newScene(ctx, seed, same, there)
	defer s.running.Wait()
	defer cancel()
	s.stores["b"].room.Store(room)
	writing, stopWriting := context.WithCancel(ctx)
	defer stopWriting()
	wrong := make([]error, len(s.writers))
	var writers sync.WaitGroup
	for i, w := range s.writers {
		writers.Go(func() { wrong[i] = s.write(writing, w) })
	}
	die := s.work(0)
	for _, e := range events {
		time.Sleep(e.After)
		s.happens(e, &die)
	}
	for _, v := range s.servers {
		v.mine.mend()
	}
	s.stores["b"].room.Store(0)
	// From here on somebody looks now and then, as servers do.
	for range 200 {
		if _, op := s.book.now(); !op.State.Open() {
			break
		}
		s.work(1)
		time.Sleep(5 * time.Second)
	}
	_, op := s.book.now()
	if op.State.Open() {
		return fmt.Errorf("it does not end: %+v", *op.Relocation)
	}
	time.Sleep(time.Minute) // for what is still under way
	stopWriting()
	writers.Wait()
	return errors.Join(append(wrong, s.want())...)
}

func (s *scene) happens(e event, die *func()) {
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	v := s.servers[e.Server]
	quiet := registry{s.book, calm(1)}
	_, op := s.book.now()
	switch e.What {
	case "die":
		(*die)()
	case "cut": // of a server, from the registry and from both places
		v.mine.cut(true)
	case "mend":
		v.mine.cut(false)
	case "overtake": // the one before goes on until it notices
		*die = s.work(e.Server)
	case "cancel":
		_ = quiet.AbortOperation(ctx, op.ID, app.OperationCancelling, "enough", app.Now())
		*die = s.work(e.Server)
	case "revert":
		_ = v.mover.Revert(ctx, &op)
		*die = s.work(e.Server)
	case "complete":
		_ = v.mover.Complete(ctx, &op)
		*die = s.work(e.Server)
	}
}
