package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tenantry/app"
)

// A registry is looked at beside the server that has it, which goes on writing,
// and nothing is changed by it.
func TestARegistryIsLookedAtBesideItsServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := openTestRegistry(t, dir)
	path := filepath.Join(dir, "registry.db")
	add := func(name string) {
		t.Helper()
		if err := r.AddCluster(t.Context(), app.AddedCluster{Name: name, Sealed: []byte("s"), Revision: 1, CreatedAt: app.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	add("one")
	for want := 1; want <= 3; want++ {
		look, err := LookAtRegistry(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		page, err := look.ExportEntries(t.Context(), app.NounAddedClusters, "", 10)
		if err != nil || len(page.Entries) != want {
			t.Fatalf("%d clusters are seen, and there are %d (%v)", len(page.Entries), want, err)
		}
		add(strings.Repeat("x", want)) // while it is looked at
		if err := look.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Health(t.Context()); err != nil {
		t.Error(err)
	}
}

// What is not a registry of this version is not looked at, and nothing is made.
func TestALookIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	look := func(path, want string) {
		t.Helper()
		before, _ := os.ReadFile(path)
		_, err := LookAtRegistry(t.Context(), path)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", filepath.Base(path), err, want)
		}
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("%s was changed", filepath.Base(path))
		}
	}
	if _, err := LookAtRegistry(t.Context(), filepath.Join(dir, "none", "registry.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("where there is none: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder was made (%v)", err)
	}
	folder, err := OpenFolder(dir, FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = folder.Close() }()
	known, err := loadSchema("registry")
	if err != nil {
		t.Fatal(err)
	}
	made := func(name string, s schema) string {
		t.Helper()
		r, err := openRegistry(context.Background(), folder, name, s, RegistryOptions{AppVersion: "v9.9.9"})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	newerSchema := known
	newerSchema.migrations = append(known.migrations[:len(known.migrations):len(known.migrations)], "CREATE TABLE later (id INTEGER) STRICT")
	look(made("newer.db", newerSchema), "run tenantry v9.9.9 or newer")
	if _, err := OpenMovableRegistry(t.Context(), folder, "newer.db", RegistryOptions{}); err == nil || !strings.Contains(err.Error(), "run tenantry v9.9.9 or newer") {
		t.Errorf("a newer one is moved: %v", err)
	}
	older := known
	older.migrations = known.migrations[:1]
	look(made("older.db", older), "of an older version (schema 1; ")
	foreign := filepath.Join(dir, "foreign.db")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	look(foreign, "some other program")
}
