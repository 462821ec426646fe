package sqlite

import (
	"context"
	"testing"

	"tenantry/app"
	"tenantry/app/storagetest"
)

// openTestRegistry opens the registry of a data folder and closes both with
// the test.
func openTestRegistry(t *testing.T, dir string) *Registry {
	t.Helper()
	folder, err := OpenFolder(dir, FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := OpenRegistry(context.Background(), folder, "registry.db", RegistryOptions{AppVersion: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if err := folder.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestRegistryReopen(t *testing.T) {
	storagetest.RegistryReopen(t, func(t *testing.T) func() app.Registry {
		folder, err := OpenFolder(t.TempDir(), FolderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = folder.Close() })
		return func() app.Registry {
			r, err := OpenRegistry(context.Background(), folder, "registry.db", RegistryOptions{AppVersion: "test"})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
	})
}
