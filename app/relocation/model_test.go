package relocation_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tenantry/app"
)

// wire is the way to a store: whatever is sent arrives, sooner or later, also
// when nobody waits for it any more, and some answers get lost.
type wire struct {
	mu    sync.Mutex
	rnd   *rand.Rand
	bad   bool // long delays, and lost answers
	down  bool // nothing arrives
	short time.Duration
}

func (w *wire) lag() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bad && w.rnd.IntN(60) == 0 {
		return time.Duration(w.rnd.Int64N(int64(20 * time.Second)))
	}
	return time.Duration(w.rnd.Int64N(int64(w.short)))
}

func (w *wire) lost() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bad && w.rnd.IntN(40) == 0
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bad, w.down = false, false
}

func (w *wire) cut(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
}

func (w *wire) isDown() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.down
}

var errLost = errors.New("the answer was lost")

// over sends a call, which is done at one instant.
func over[T any](ctx context.Context, w *wire, call func() (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	answered := make(chan answer, 1)
	go func() {
		time.Sleep(w.lag())
		if w.isDown() {
			answered <- answer{err: app.ErrUnavailable}
			return
		}
		v, err := call()
		time.Sleep(w.lag())
		if w.isDown() {
			err = errLost
		}
		answered <- answer{v, err}
	}()
	var none T
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case a := <-answered:
		if w.lost() {
			return none, errLost
		}
		return a.v, a.err
	}
}

func send(ctx context.Context, w *wire, call func() error) error {
	_, err := over(ctx, w, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// store is a cluster in memory that keeps to app.Moving, by the letter.
type store struct {
	mu     sync.Mutex
	spaces map[key]*space
	mark   int64
	room   atomic.Int32 // documents that fit into a namespace; 0: any
	// cost is how long it takes to store a document that is imported, and stuck
	// how long it is, of each time, that whoever imports cannot even give up.
	cost, stuck atomic.Int64
}

type key struct {
	org       app.OrganizationID
	isolation app.Isolation
	database  string
}

type space struct {
	phase      app.NamespacePhase
	generation int64
	documents  map[app.DocumentID]app.Document
	noted      map[app.DocumentID]int64
}

func newStore() *store { return &store{spaces: map[key]*space{}} }

func keyOf(ns app.Namespace) key {
	return key{ns.Organization, ns.Placement.Isolation, ns.Placement.Database}
}

var errGone = fmt.Errorf("no namespace: %w: %w", app.ErrMoved, app.ErrNotFound)

// cluster is a store as one server sees it, over its own wire.
type cluster struct {
	app.Cluster
	*store
	wire *wire
}

// at runs f on a namespace.
func at[T any](ctx context.Context, c cluster, ns app.Namespace, f func(*space) (T, error)) (T, error) {
	return over(ctx, c.wire, func() (v T, err error) { return locked(c, ns, f) })
}

func locked[T any](c cluster, ns app.Namespace, f func(*space) (T, error)) (v T, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.spaces[keyOf(ns)]
	if s == nil {
		return v, errGone
	}
	return f(s)
}

func do(ctx context.Context, c cluster, ns app.Namespace, f func(*space) error) error {
	_, err := at(ctx, c, ns, func(s *space) (struct{}, error) { return struct{}{}, f(s) })
	return err
}

func (c cluster) Health(context.Context) error { return nil }

func (c cluster) Room(context.Context) (app.Room, error) { return app.Room{}, nil }

func (c cluster) Receive(ctx context.Context, ns app.Namespace) error {
	return send(ctx, c.wire, func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		s := c.spaces[keyOf(ns)]
		if s == nil {
			s = &space{phase: app.PhaseClosed, documents: map[app.DocumentID]app.Document{}, noted: map[app.DocumentID]int64{}}
			c.spaces[keyOf(ns)] = s
		}
		if s.phase != app.PhaseClosed || s.generation > ns.Placement.Generation {
			return app.ErrStale
		}
		s.generation = ns.Placement.Generation
		return nil
	})
}

func (c cluster) Drop(ctx context.Context, ns app.Namespace) error {
	err := do(ctx, c, ns, func(s *space) error {
		if s.generation > ns.Placement.Generation {
			return app.ErrStale
		}
		delete(c.spaces, keyOf(ns))
		return nil
	})
	if errors.Is(err, app.ErrNotFound) {
		return nil
	}
	return err
}

func (c cluster) SetPhase(ctx context.Context, ns app.Namespace, phase app.NamespacePhase) error {
	return do(ctx, c, ns, func(s *space) error {
		if s.generation > ns.Placement.Generation {
			return app.ErrStale
		}
		if phase == app.PhaseOpen || phase == app.PhaseRecording && (s.phase == app.PhaseOpen || s.phase == app.PhaseClosed) {
			clear(s.noted)
		}
		s.phase, s.generation = phase, ns.Placement.Generation
		return nil
	})
}

func (c cluster) Phase(ctx context.Context, ns app.Namespace) (app.NamespacePhase, int64, error) {
	s, err := at(ctx, c, ns, func(s *space) (space, error) { return *s, nil })
	return s.phase, s.generation, err
}

func (c cluster) Stats(ctx context.Context, ns app.Namespace) (app.NamespaceStats, error) {
	return at(ctx, c, ns, func(s *space) (app.NamespaceStats, error) {
		return app.NamespaceStats{Documents: int64(len(s.documents))}, nil
	})
}

func (c cluster) Scan(ctx context.Context, ns app.Namespace, q app.DocumentQuery) ([]app.Document, error) {
	return at(ctx, c, ns, func(s *space) ([]app.Document, error) {
		var list []app.Document
		for _, id := range slices.Sorted(maps.Keys(s.documents)) {
			if id > q.After && len(list) < q.Limit {
				list = append(list, s.documents[id])
			}
		}
		return list, nil
	})
}

func (c cluster) Look(ctx context.Context, ns app.Namespace, ids []app.DocumentID, _ int) ([]app.Sight, error) {
	return at(ctx, c, ns, func(s *space) ([]app.Sight, error) {
		var list []app.Sight
		for _, id := range slices.Sorted(slices.Values(ids)) {
			_, noted := s.noted[id]
			seen := app.Sight{ID: id, Noted: noted}
			if d, there := s.documents[id]; there {
				seen.Document = &d
			}
			list = append(list, seen)
		}
		return list, nil
	})
}

func (c cluster) Fill(ctx context.Context, ns app.Namespace, documents []app.Document) error {
	return c.Import(ctx, ns, documents, nil)
}

func (c cluster) Import(ctx context.Context, ns app.Namespace, documents []app.Document, gone []app.DocumentID) error {
	time.Sleep(time.Duration(c.stuck.Load()))
	put := func(s *space) error {
		if s.phase != app.PhaseClosed || s.generation != ns.Placement.Generation {
			return app.ErrStale
		}
		if room := c.room.Load(); room > 0 && len(s.documents)+len(documents) > int(room) {
			return app.ErrNoSpace
		}
		for _, d := range documents {
			s.documents[d.ID] = d
		}
		for _, id := range gone {
			delete(s.documents, id)
		}
		return nil
	}
	return send(ctx, c.wire, func() error {
		time.Sleep(time.Duration(c.cost.Load()) * time.Duration(len(documents)))
		_, err := locked(c, ns, func(s *space) (struct{}, error) { return struct{}{}, put(s) })
		return err
	})
}

func (c cluster) Changes(ctx context.Context, ns app.Namespace, limit, _ int) ([]app.Change, error) {
	return at(ctx, c, ns, func(s *space) ([]app.Change, error) {
		var list []app.Change
		for id, mark := range s.noted {
			change := app.Change{ID: id, Mark: mark}
			if d, there := s.documents[id]; there {
				change.Document = &d
			}
			if list = append(list, change); len(list) == limit {
				break
			}
		}
		return list, nil
	})
}

func (c cluster) Settle(ctx context.Context, ns app.Namespace, changes []app.Change) error {
	return do(ctx, c, ns, func(s *space) error {
		for _, change := range changes {
			if s.noted[change.ID] == change.Mark {
				delete(s.noted, change.ID)
			}
		}
		return nil
	})
}

func (c cluster) CountChanges(ctx context.Context, ns app.Namespace, limit int) (int, error) {
	return at(ctx, c, ns, func(s *space) (int, error) { return min(limit, len(s.noted)), nil })
}

// write is what every write of a document asks first, and notes.
func (c cluster) write(s *space, id app.DocumentID) error {
	switch s.phase {
	case app.PhaseClosed:
		return app.ErrMoved
	case app.PhaseFrozen:
		return app.ErrFrozen
	case app.PhaseRecording:
		c.mark++
		s.noted[id] = c.mark
	}
	return nil
}

func (c cluster) InsertDocument(ctx context.Context, ns app.Namespace, d app.Document) error {
	return do(ctx, c, ns, func(s *space) error {
		if err := c.write(s, d.ID); err != nil {
			return err
		}
		if _, there := s.documents[d.ID]; there {
			return app.Taken(app.ConflictDocumentID)
		}
		s.documents[d.ID] = d
		return nil
	})
}

func (c cluster) Document(ctx context.Context, ns app.Namespace, id app.DocumentID) (app.Document, error) {
	return at(ctx, c, ns, func(s *space) (app.Document, error) {
		if s.phase == app.PhaseClosed {
			return app.Document{}, app.ErrMoved
		}
		d, there := s.documents[id]
		if !there {
			return d, app.ErrNotFound
		}
		return d, nil
	})
}

func (c cluster) UpdateDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64, f func(*app.Document) error) (app.Document, error) {
	return at(ctx, c, ns, func(s *space) (app.Document, error) {
		d, there := s.documents[id]
		if err := c.write(s, id); err != nil {
			return d, err
		}
		if !there {
			return d, app.ErrNotFound
		}
		if err := f(&d); err != nil {
			return d, err
		}
		d.Revision++
		s.documents[id] = d
		return d, nil
	})
}

func (c cluster) DeleteDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, _ int64) error {
	return do(ctx, c, ns, func(s *space) error {
		if err := c.write(s, id); err != nil {
			return err
		}
		if _, there := s.documents[id]; !there {
			return app.ErrNotFound
		}
		delete(s.documents, id)
		return nil
	})
}
