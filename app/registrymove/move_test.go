package registrymove

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"tenantry/app"
	"tenantry/app/storagetest"
)

// isClosed checks that a server is refused, and why.
func isClosed(t *testing.T, at place, state app.RegistryState, words ...string) {
	t.Helper()
	_, err := at.Serve()
	var closed *app.ClosedRegistryError
	if !errors.As(err, &closed) || closed.Mark.State != state {
		t.Fatalf("a server opens %s: %v, want that it is %s", at.name, err, state)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the refusal does not say %q: %v", word, err)
		}
	}
}

// Between all engines: everything is there, and works.
func TestEverythingMoves(t *testing.T) {
	for from, newSource := range engines() {
		for to, newTarget := range engines() {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				source, target := newSource(t), newTarget(t)
				i := inhabited(t, source)
				result := moved(t, source, target)
				if result.Before || result.Counts.Nouns[app.NounOrganizations].Entries == 0 || result.Counts.Bytes == 0 {
					t.Errorf("the result is %+v", result)
				}
				isClosed(t, source, app.RegistryMoved, target.name)
				r, err := target.Serve()
				must(t, err)
				i.Check(t, r)
				must(t, r.Close())
				if again := moved(t, source, target); !again.Before {
					t.Errorf("moved twice: %+v", again)
				}
			})
		}
	}
}

// There and back: what was written meanwhile is there, and nothing else.
func TestThereAndBack(t *testing.T) {
	for name, newTarget := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home, away := inFolder(t), newTarget(t)
			i := inhabited(t, home)
			moved(t, home, away)
			r, err := away.Serve()
			must(t, err)
			must(t, r.AddCluster(t.Context(), app.AddedCluster{Name: "asia", Sealed: []byte("s"), Revision: 1, CreatedAt: app.Now()}))
			must(t, r.Close())
			moved(t, away, home)
			isClosed(t, away, app.RegistryMoved, home.name)
			r, err = home.Serve()
			must(t, err)
			must(t, r.RemoveCluster(t.Context(), "asia"))
			must(t, r.Close())
			moved(t, home, away)
			isClosed(t, home, app.RegistryMoved, away.name)
			r, err = away.Serve()
			must(t, err)
			i.Check(t, r)
			must(t, r.Close())
		})
	}
}

// errDied is what a process that dies would never return.
var errDied = errors.New("died")

// mortal counts the calls of a move, and dies at one of them, either before it
// has taken effect or after: nothing comes through any more.
type mortal struct {
	calls, at int
	after     bool
}

func (m *mortal) call(do func() error) error {
	m.calls++
	switch {
	case m.at == 0 || m.calls < m.at:
		return do()
	case m.calls == m.at && m.after:
		_ = do()
	}
	return errDied
}

// killed puts a registry in the hands of one who may die.
type killed struct {
	app.MovableRegistry
	m *mortal
}

func (k killed) Mark(ctx context.Context) (mark app.RegistryMark, err error) {
	err = k.m.call(func() error { mark, err = k.MovableRegistry.Mark(ctx); return err })
	return mark, err
}

func (k killed) SetMark(ctx context.Context, mark app.RegistryMark) error {
	return k.m.call(func() error { return k.MovableRegistry.SetMark(ctx, mark) })
}

func (k killed) ExportEntries(ctx context.Context, noun app.RegistryNoun, after string, limit int) (page app.RegistryPage, err error) {
	err = k.m.call(func() error { page, err = k.MovableRegistry.ExportEntries(ctx, noun, after, limit); return err })
	return page, err
}

func (k killed) ImportEntries(ctx context.Context, noun app.RegistryNoun, page app.RegistryPage) error {
	return k.m.call(func() error { return k.MovableRegistry.ImportEntries(ctx, noun, page) })
}

func (k killed) Clear(ctx context.Context) error {
	return k.m.call(func() error { return k.MovableRegistry.Clear(ctx) })
}

// Broken off at each call there is, before it or after, and run again: at no
// moment are both registries open once it has begun, and in the end it is done,
// once. Or it is given up, and the old one is as it was.
func TestBrokenOffAnywhere(t *testing.T) {
	source := inFolder(t)
	inhabited(t, source)
	calls, step := &mortal{}, 1
	if testing.Short() {
		step = 7
	}
	for at := 1; ; at += step {
		done := false
		for _, after := range []bool{false, true} {
			for _, givenUp := range []bool{false, true} {
				if after && givenUp {
					continue // as the call behind it, and before
				}
				t.Run(fmt.Sprintf("%d/%v/%v", at, after, givenUp), func(t *testing.T) {
					from, to := inFolder(t), inFolder(t)
					before := fill(t, source, from)
					calls = &mortal{at: at, after: after}
					m, closed := between(t, from, to)
					m.Source.MovableRegistry = killed{m.Source.MovableRegistry, calls}
					m.Target.MovableRegistry = killed{m.Target.MovableRegistry, calls}
					_, err := m.Run(t.Context())
					closed()
					if err == nil {
						if calls.calls < 40 {
							t.Fatalf("it took %d calls: the test tests nothing", calls.calls)
						}
						done = true
						return
					}
					notBothOpen(t, from, to)
					if givenUp && cancelled(t, from) {
						if got := all(t, from); !reflect.DeepEqual(got, before) {
							t.Error("the old registry is not as it was")
						}
						return
					}
					moved(t, from, to)
					notBothOpen(t, from, to)
					isClosed(t, from, app.RegistryMoved)
					r, err := to.Serve()
					must(t, err)
					must(t, r.Close())
					if got := all(t, to); !reflect.DeepEqual(got, before) {
						t.Error("the new registry is not what the old one was")
					}
				})
			}
		}
		if done {
			return
		}
	}
}

// fill makes one registry a copy of another.
func fill(t *testing.T, from, to place) map[app.RegistryNoun][]app.RegistryEntry {
	t.Helper()
	a, b := from.open(t), to.open(t)
	defer func() { _, _ = a.Close(), b.Close() }()
	entries := storagetest.AllEntries(t, a, 1000)
	for noun, list := range entries {
		must(t, b.ImportEntries(t.Context(), noun, app.RegistryPage{Entries: list}))
	}
	return entries
}

func all(t *testing.T, at place) map[app.RegistryNoun][]app.RegistryEntry {
	t.Helper()
	r := at.open(t)
	defer func() { _ = r.Close() }()
	return storagetest.AllEntries(t, r, 1000)
}

// cancelled gives a move up, if that is possible still.
func cancelled(t *testing.T, from place) bool {
	t.Helper()
	r := from.open(t)
	defer func() { _ = r.Close() }()
	mark, err := r.Mark(t.Context())
	must(t, err)
	err = Cancel(t.Context(), r, app.Now())
	if mark.State == app.RegistryMoving {
		must(t, err)
	} else if !errors.Is(err, app.ErrConflict) {
		t.Errorf("what is %s was given up: %v", mark.State, err)
	}
	return mark.State != app.RegistryMoved
}

// notBothOpen checks that servers can work on one of both at most, and that the
// new one, if it is that, has everything. It was empty before.
func notBothOpen(t *testing.T, from, to place) {
	t.Helper()
	var open []string
	for _, at := range []place{from, to} {
		r := at.open(t)
		mark, err := r.Mark(t.Context())
		must(t, err)
		counts, err := Count(t.Context(), r)
		must(t, err)
		must(t, r.Close())
		if mark.State == app.RegistryOpen && counts.Entries > 0 {
			open = append(open, at.name)
		}
	}
	if len(open) > 1 {
		t.Fatalf("both are open: %v", open)
	}
}
