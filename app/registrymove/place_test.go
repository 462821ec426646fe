package registrymove

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/mongodb"
	"tenantry/app/mongodb/mongotest"
	"tenantry/app/sqlite"
	"tenantry/app/storagetest"
)

// place is where a registry can be.
type place struct {
	name string
	storagetest.RegistryPlace
}

func inFolder(t *testing.T) place {
	t.Helper()
	folder, err := sqlite.OpenFolder(t.TempDir(), sqlite.FolderOptions{})
	must(t, err)
	t.Cleanup(func() { _ = folder.Close() })
	path := filepath.Join(folder.Path(), "registry.db")
	return place{"sqlite:" + path, storagetest.RegistryPlace{
		Serve: func() (app.Registry, error) {
			return sqlite.OpenRegistry(context.Background(), folder, path, sqlite.RegistryOptions{})
		},
		Move: func() (app.MovableRegistry, error) {
			return sqlite.OpenMovableRegistry(context.Background(), folder, path, sqlite.RegistryOptions{})
		},
	}}
}

func onMongoDB(kind mongotest.Kind) func(t *testing.T) place {
	return func(t *testing.T) place {
		t.Helper()
		s := mongotest.Shared(t, kind)
		o := mongodb.Options{URL: s.URL(s.Database(t)), Lease: 20 * time.Millisecond}
		return place{o.URL, storagetest.RegistryPlace{
			Serve: func() (app.Registry, error) { return mongodb.OpenRegistry(context.Background(), o) },
			Move: func() (app.MovableRegistry, error) {
				return mongodb.OpenMovableRegistry(context.Background(), o, false)
			},
		}}
	}
}

// engines make new, empty places.
func engines() map[string]func(t *testing.T) place {
	all := map[string]func(t *testing.T) place{"sqlite": inFolder}
	for _, kind := range mongotest.Kinds() {
		all[string(kind)] = onMongoDB(kind)
	}
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// inhabited is a place with a registry in it that has one of everything.
func inhabited(t *testing.T, at place) *storagetest.Inhabited {
	t.Helper()
	r, err := at.Serve()
	must(t, err)
	defer func() { must(t, r.Close()) }()
	return storagetest.Inhabit(t, r)
}

func (p place) open(t *testing.T) Registry {
	t.Helper()
	r, err := p.Move()
	must(t, err)
	return Registry{r, p.name}
}

// between opens both for a move, and gives what closes them.
func between(t *testing.T, from, to place) (m *Move, closed func()) {
	t.Helper()
	m = &Move{Source: from.open(t), Target: to.open(t), Now: app.Now, Log: slog.New(slog.DiscardHandler)}
	return m, func() {
		must(t, m.Source.Close())
		must(t, m.Target.Close())
	}
}

// moved moves, and closes both.
func moved(t *testing.T, from, to place) Result {
	t.Helper()
	m, closed := between(t, from, to)
	defer closed()
	result, err := m.Run(t.Context())
	must(t, err)
	return result
}
