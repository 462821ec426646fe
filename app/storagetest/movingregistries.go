package storagetest

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"tenantry/app"
)

// RegistryPlace is where a registry can be opened, as a server does and to move
// it. One is closed before the other is opened.
type RegistryPlace struct {
	Serve func() (app.Registry, error)
	Move  func() (app.MovableRegistry, error)
}

func (p RegistryPlace) serve(t *testing.T) app.Registry {
	t.Helper()
	r, err := p.Serve()
	must(t, err)
	return r
}

// move opens it until the test ends or closed is called.
func (p RegistryPlace) move(t *testing.T) (m app.MovableRegistry, closed func()) {
	t.Helper()
	m, err := p.Move()
	must(t, err)
	done := false
	closed = func() {
		if !done {
			done = true
			must(t, m.Close())
		}
	}
	t.Cleanup(closed)
	return m, closed
}

// MovableRegistry tests what moving a registry needs of an engine. place makes a
// new, empty place for one.
func MovableRegistry(t *testing.T, place func(t *testing.T) RegistryPlace) {
	movingMarks(t, place)
	movingEntries(t, place)
	movingRoom(t, place)
}

func movingMarks(t *testing.T, place func(t *testing.T) RegistryPlace) {
	ctx := context.Background()
	mark := func(state app.RegistryState) app.RegistryMark {
		return app.RegistryMark{State: state, Migration: "one", Peer: "mongodb://there/tenantry", At: beginning}
	}

	t.Run("Mark/IsOpenWhereNoneWasSet", func(t *testing.T) {
		t.Parallel()
		m, _ := place(t).move(t)
		got, err := m.Mark(ctx)
		must(t, err)
		equal(t, "mark", got, app.RegistryMark{State: app.RegistryOpen})
	})

	t.Run("SetMark/ClosesToServers", func(t *testing.T) {
		t.Parallel()
		for _, state := range []app.RegistryState{app.RegistryReceiving, app.RegistryMoving, app.RegistryMoved} {
			p := place(t)
			w := newWorld(t, p.serve(t))
			w.neighbour = w.tenant("neighbour")
			must(t, w.Close())
			m, closed := p.move(t)
			for range 2 { // is once
				must(t, m.SetMark(ctx, mark(state)))
			}
			closed()
			var refused *app.ClosedRegistryError
			if r, err := p.Serve(); !errors.As(err, &refused) || r != nil && !reflect.ValueOf(r).IsNil() {
				t.Fatalf("%s: a server opened it: %v", state, err)
			}
			equal(t, "mark in the refusal", refused.Mark, mark(state))

			m, closed = p.move(t)
			got, err := m.Mark(ctx)
			must(t, err)
			equal(t, "mark", got, mark(state))
			must(t, m.SetMark(ctx, mark(app.RegistryOpen)))
			closed()
			w.Registry = p.serve(t)
			w.neighbourIsUntouched()
			w.tenant("next") // it takes writes
			must(t, w.Close())
		}
	})

	t.Run("SetMark/FromStateToState", func(t *testing.T) {
		t.Parallel()
		m, _ := place(t).move(t)
		for _, state := range []app.RegistryState{app.RegistryMoving, app.RegistryMoved, app.RegistryReceiving, app.RegistryOpen, app.RegistryReceiving} {
			must(t, m.SetMark(ctx, mark(state)))
			got, err := m.Mark(ctx)
			must(t, err)
			equal(t, "mark", got, mark(state))
			if state == app.RegistryReceiving { // it is there to be filled
				e, err := app.Entry("eu", newWorld(t, nil).addedCluster("eu"))
				must(t, err)
				must(t, m.ImportEntries(ctx, app.NounAddedClusters, app.RegistryPage{Entries: []app.RegistryEntry{e}}))
			}
		}
	})

	t.Run("Clear/LeavesTheMarkAlone", func(t *testing.T) {
		t.Parallel()
		p := place(t)
		r := p.serve(t)
		Inhabit(t, r)
		must(t, r.Close())
		m, closed := p.move(t)
		must(t, m.SetMark(ctx, mark(app.RegistryReceiving)))
		must(t, m.Clear(ctx))
		for _, noun := range app.RegistryNouns() {
			page, err := m.ExportEntries(ctx, noun, "", 10)
			must(t, err)
			equal(t, string(noun), len(page.Entries), 0)
			equal(t, "last page", page.Last(), true)
		}
		got, err := m.Mark(ctx)
		must(t, err)
		equal(t, "mark", got, mark(app.RegistryReceiving))
		must(t, m.SetMark(ctx, mark(app.RegistryOpen)))
		closed()
		r = p.serve(t)
		w := newWorld(t, r) // nothing is left of any name
		w.tenant("acme")
		first, err := w.CreateFirstOperatorKey(w.ctx, w.operatorKey("good"))
		must(t, err)
		equal(t, "a first operator key was made", first, true)
		must(t, r.Close())
	})
}

// AllEntries are those of a registry, read in pages of a size.
func AllEntries(t *testing.T, m app.MovableRegistry, size int) map[app.RegistryNoun][]app.RegistryEntry {
	t.Helper()
	all := map[app.RegistryNoun][]app.RegistryEntry{}
	for _, noun := range app.RegistryNouns() {
		for after := ""; ; {
			page, err := m.ExportEntries(context.Background(), noun, after, size)
			must(t, err)
			equal(t, "begin of the page", page.After, after)
			if len(page.Entries) > size {
				t.Fatalf("a page of %s has %d entries, of %d", noun, len(page.Entries), size)
			}
			for _, e := range page.Entries {
				if e.Key <= after || !page.Last() && e.Key > page.Through {
					t.Fatalf("%s: %q is in the page from %q to %q", noun, e.Key, page.After, page.Through)
				}
				after = e.Key
			}
			all[noun] = append(all[noun], page.Entries...)
			if page.Last() {
				break
			}
			after = page.Through
		}
	}
	return all
}
