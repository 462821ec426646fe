package circuit_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"tenantry/app"
	"tenantry/app/circuit"
	"tenantry/app/sqlite"
	"tenantry/app/storagetest"
)

var log = slog.New(slog.DiscardHandler)

// Behind a circuit an engine keeps every promise of the ports.
func TestRegistry(t *testing.T) {
	storagetest.Registry(t, func(t *testing.T) app.Registry {
		folder, err := sqlite.OpenFolder(t.TempDir(), sqlite.FolderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = folder.Close() })
		inner, err := sqlite.OpenRegistry(context.Background(), folder, filepath.Join(folder.Path(), "registry.db"), sqlite.RegistryOptions{AppVersion: "test"})
		if err != nil {
			t.Fatal(err)
		}
		r, _ := circuit.Registry(inner, log)
		t.Cleanup(func() { _ = r.Close() })
		return r
	})
}

func TestCluster(t *testing.T) {
	storagetest.Cluster(t, func(t *testing.T) app.Cluster {
		inner, err := sqlite.OpenCluster(context.Background(), t.TempDir(), "default", sqlite.ClusterOptions{Shards: 1, Version: "test"})
		if err != nil {
			t.Fatal(err)
		}
		c, _ := circuit.Cluster(inner, "default", log)
		t.Cleanup(func() { _ = c.Close() })
		return c
	})
}
