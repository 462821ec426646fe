package sqlite

import (
	"testing"

	"tenantry/app"
	"tenantry/app/storagetest"
)

func TestRegistry(t *testing.T) {
	storagetest.Registry(t, func(t *testing.T) app.Registry { return openTestRegistry(t, t.TempDir()) })
}

func TestCluster(t *testing.T) {
	storagetest.Cluster(t, func(t *testing.T) app.Cluster {
		// One shard, so that the organizations of a test meet in one file.
		return openTestCluster(t, t.TempDir(), ClusterOptions{Shards: 1})
	}, isolations...)
}

func TestMoving(t *testing.T) {
	storagetest.Moving(t, func(t *testing.T) storagetest.MovingCluster {
		return openTestCluster(t, t.TempDir(), ClusterOptions{Shards: 1})
	}, isolations...)
}

func TestClusterReopen(t *testing.T) {
	storagetest.ClusterReopen(t, func(t *testing.T) func() app.Cluster {
		dir := t.TempDir()
		return func() app.Cluster { return openTestCluster(t, dir, ClusterOptions{Shards: 3}) }
	}, isolations...)
}
