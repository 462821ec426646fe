package tenancy_test

import (
	"context"
	"testing"

	"tenantry/app"
	"tenantry/app/mongodb"
	"tenantry/app/mongodb/mongotest"
)

// alone is a registry that no other server works on: what its dead servers
// left need not stand still for a while before it is taken up.
type alone struct{ app.Registry }

func (alone) Shared() bool { return false }

// mongoHouse is a house whose stores are databases of a MongoDB.
func mongoHouse(t testing.TB, s *mongotest.Server) *house {
	t.Helper()
	h := &house{t: t, ctx: context.Background()}
	registry, err := mongodb.OpenRegistry(h.ctx, mongodb.Options{URL: s.URL(s.Database(t)), AppVersion: "test", Logger: discard})
	h.ok(err)
	h.closing(registry)
	cluster, err := mongodb.OpenCluster(h.ctx, "default", mongodb.Options{URL: s.URL(s.Database(t)), AppVersion: "test", Logger: discard})
	h.ok(err)
	h.closing(cluster)
	h.registry, h.cluster = alone{registry}, cluster
	h.moveIn()
	return h
}

func TestCrashMatrixOnMongoDB(t *testing.T) {
	for _, kind := range mongotest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := mongotest.Shared(t, kind)
			crashMatrix(t, true, func(t testing.TB) *house { return mongoHouse(t, s) })
		})
	}
}
