package registrymove

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"tenantry/app"
	"tenantry/app/sqlite"
	"tenantry/app/storagetest"
)

// What is refused changes nothing, and says what to do.
func TestRefused(t *testing.T) {
	marked := func(at place, mark app.RegistryMark) func(t *testing.T) {
		return func(t *testing.T) {
			r := at.open(t)
			defer func() { _ = r.Close() }()
			must(t, r.SetMark(t.Context(), mark))
		}
	}
	from, to, third := inFolder(t), inFolder(t), inFolder(t)
	inhabited(t, from)
	for name, test := range map[string]struct {
		prepare func(t *testing.T)
		to      place
		words   []string
	}{
		"its own place":      {nil, from, []string{from.name, "already"}},
		"another registry":   {func(t *testing.T) { inhabited(t, to) }, to, []string{to.name, "organizations", "1 repetition", "choose another"}},
		"one that was moved": {marked(to, app.RegistryMark{State: app.RegistryMoved, Migration: "x", Peer: "elsewhere", At: app.Now()}), to, []string{"moved to elsewhere"}},
		"one that is moving": {marked(to, app.RegistryMark{State: app.RegistryMoving, Migration: "x", Peer: "elsewhere", At: app.Now()}), to, []string{"being moved to elsewhere"}},
		"another's half copy": {marked(to, app.RegistryMark{State: app.RegistryReceiving, Migration: "x", Peer: "elsewhere", At: app.Now()}), to,
			[]string{"from elsewhere", "has not ended"}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.prepare != nil {
				test.prepare(t)
				defer func() {
					r := to.open(t)
					defer func() { _ = r.Close() }()
					must(t, r.Clear(t.Context()))
					must(t, r.SetMark(t.Context(), app.RegistryMark{State: app.RegistryOpen}))
				}()
			}
			before, there := all(t, from), all(t, test.to)
			m, closed := between(t, from, test.to)
			_, err := m.Run(t.Context())
			closed()
			var refused *RefusedError
			if !errors.As(err, &refused) || !errors.Is(err, app.ErrConflict) {
				t.Fatalf("it was not refused: %v", err)
			}
			for _, word := range test.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("the refusal does not say %q: %v", word, err)
				}
			}
			sameAs(t, from, before)
			sameAs(t, test.to, there)
			r, err := from.Serve()
			must(t, err)
			must(t, r.Close())
		})
	}

	// A registry that is on its way goes nowhere else, and one that has gone is
	// moved from where it is.
	moving := app.RegistryMark{State: app.RegistryMoving, Migration: "x", Peer: to.name, At: app.Now()}
	marked(from, moving)(t)
	m, closed := between(t, from, third)
	if _, err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), to.name) || !strings.Contains(err.Error(), "--cancel") {
		t.Errorf("moved to two places: %v", err)
	}
	closed()
	moving.State = app.RegistryMoved
	marked(from, moving)(t)
	m, closed = between(t, from, third)
	if _, err := m.Run(t.Context()); !errors.Is(err, app.ErrUnavailable) || !strings.Contains(err.Error(), to.name) {
		t.Errorf("what was left is moved: %v", err)
	}
	closed()
	moving.State = app.RegistryReceiving
	marked(from, moving)(t)
	m, closed = between(t, from, third)
	if _, err := m.Run(t.Context()); !errors.Is(err, app.ErrUnavailable) || !strings.Contains(err.Error(), "has not ended") {
		t.Errorf("half a copy is moved: %v", err)
	}
	closed()
}

func sameAs(t *testing.T, at place, want map[app.RegistryNoun][]app.RegistryEntry) {
	t.Helper()
	got := all(t, at)
	for noun, list := range want {
		if len(got[noun]) != len(list) {
			t.Errorf("%s: there are %d %s, and were %d", at.name, len(got[noun]), noun, len(list))
		}
	}
}

// Two ways to one place are one place.
func TestToItselfByAnotherWay(t *testing.T) {
	folder, err := sqlite.OpenFolder(t.TempDir(), sqlite.FolderOptions{})
	must(t, err)
	defer func() { _ = folder.Close() }()
	at := func(name, path string) place {
		return place{name, storagetest.RegistryPlace{
			Serve: func() (app.Registry, error) {
				return sqlite.OpenRegistry(context.Background(), folder, path, sqlite.RegistryOptions{})
			},
			Move: func() (app.MovableRegistry, error) {
				return sqlite.OpenMovableRegistry(context.Background(), folder, path, sqlite.RegistryOptions{})
			},
		}}
	}
	one, two := at("one way", "registry.db"), at("another way", filepath.Join(folder.Path(), "registry.db"))
	inhabited(t, one)
	m, closed := between(t, one, two)
	_, err = m.Run(t.Context())
	closed()
	if !errors.Is(err, app.ErrConflict) || !strings.Contains(err.Error(), "another way is the place") {
		t.Errorf("moved into itself: %v", err)
	}
	r, err := one.Serve()
	must(t, err)
	must(t, r.Close())
}

// A failure that is not the process's end puts the old registry in force again.
func TestAFailureOpensTheOldOne(t *testing.T) {
	from, to := inFolder(t), inFolder(t)
	inhabited(t, from)
	m, closed := between(t, from, to)
	m.Target.MovableRegistry = failing{m.Target.MovableRegistry}
	_, err := m.Run(t.Context())
	closed()
	if !errors.Is(err, app.ErrNoSpace) || !strings.Contains(err.Error(), "in force again") {
		t.Fatalf("it ended with %v", err)
	}
	isClosed(t, to, app.RegistryReceiving, from.name)
	r, err := from.Serve()
	must(t, err)
	must(t, r.Close())
	moved(t, from, to)
}

type failing struct{ app.MovableRegistry }

func (failing) ImportEntries(context.Context, app.RegistryNoun, app.RegistryPage) error {
	return app.ErrNoSpace
}

// What is copied wrongly is noticed, whatever it is.
func TestAWrongCopyIsNoticed(t *testing.T) {
	for name, spoil := range map[string]func(list []app.RegistryEntry) []app.RegistryEntry{
		"is missing": func(list []app.RegistryEntry) []app.RegistryEntry { return list[1:] },
		"is too much": func(list []app.RegistryEntry) []app.RegistryEntry {
			k, err := app.EntryValue[app.AddedCluster](list[0])
			k.Name, k.Place = "zz", nil
			more, also := app.Entry("zz", k)
			must(t, errors.Join(err, also))
			return append(list[:len(list):len(list)], more)
		},
		"differs": func(list []app.RegistryEntry) []app.RegistryEntry {
			other := append([]app.RegistryEntry{}, list...)
			other[0].Data = []byte(strings.Replace(string(other[0].Data), `"Shards":7`, `"Shards":8`, 1))
			return other
		},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := inFolder(t), inFolder(t)
			inhabited(t, from)
			m, closed := between(t, from, to)
			defer closed()
			m.Target.MovableRegistry = spoiling{m.Target.MovableRegistry, spoil}
			if _, err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "added cluster") {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

type spoiling struct {
	app.MovableRegistry
	spoil func([]app.RegistryEntry) []app.RegistryEntry
}

func (s spoiling) ImportEntries(ctx context.Context, noun app.RegistryNoun, page app.RegistryPage) error {
	if noun == app.NounAddedClusters {
		page.Entries = s.spoil(page.Entries)
	}
	return s.MovableRegistry.ImportEntries(ctx, noun, page)
}
