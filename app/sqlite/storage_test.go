package sqlite

import (
	"context"
	"testing"

	"tenantry/app"
	"tenantry/app/storagetest"
)

func TestRegistry(t *testing.T) {
	storagetest.Registry(t, func(t *testing.T) app.Registry { return openTestRegistry(t, t.TempDir()) })
}

func TestCluster(t *testing.T) {
	storagetest.Cluster(t, func(t *testing.T) app.Cluster { return openWatchedCluster(t) }, isolations...)
}

func TestMoving(t *testing.T) {
	storagetest.Moving(t, func(t *testing.T) storagetest.MovingCluster { return openWatchedCluster(t) }, isolations...)
}

func TestClusterReopen(t *testing.T) {
	storagetest.ClusterReopen(t, func(t *testing.T) func() app.Cluster {
		dir := t.TempDir()
		return func() app.Cluster { return openTestCluster(t, dir, ClusterOptions{Shards: 3}) }
	}, isolations...)
}

func TestMovableRegistry(t *testing.T) {
	storagetest.MovableRegistry(t, func(t *testing.T) storagetest.RegistryPlace {
		folder, err := OpenFolder(t.TempDir(), FolderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = folder.Close() })
		return storagetest.RegistryPlace{
			Serve: func() (app.Registry, error) {
				return OpenRegistry(context.Background(), folder, "registry.db", RegistryOptions{})
			},
			Move: func() (app.MovableRegistry, error) {
				return OpenMovableRegistry(context.Background(), folder, "registry.db", RegistryOptions{})
			},
		}
	})
}
