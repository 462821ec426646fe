package relocation_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/mongodb"
	"tenantry/app/mongodb/mongotest"
	"tenantry/app/tenancy"
)

// gentle leaves the stand-in for MongoDB time for the mover: it makes each
// document of a bulk durable by itself.
const gentle = 100 * time.Millisecond

func openMongo(t testing.TB, w *town, name, url string) app.Cluster {
	t.Helper()
	c, err := mongodb.OpenCluster(context.Background(), name, mongodb.Options{URL: url, AppVersion: "test", Logger: quiet})
	w.ok(err)
	w.closing(c)
	return c
}

// mongoTown has its registry and the clusters "a" and "b" on a MongoDB, and two
// servers, each with connections of its own.
func mongoTown(t testing.TB, s *mongotest.Server) *town {
	t.Helper()
	w := &town{t: t, pause: gentle}
	registry, a, b := s.Database(t), s.Database(t), s.Database(t)
	for range 2 {
		clusters := map[string]app.Cluster{"a": openMongo(t, w, "a", s.URL(a)), "b": openMongo(t, w, "b", s.URL(b))}
		r, err := mongodb.OpenRegistry(context.Background(), mongodb.Options{URL: s.URL(registry), AppVersion: "test", Logger: quiet,
			Lease: terms.PlacementLease})
		w.ok(err)
		w.closing(r)
		w.open(r, clusters)
		w.registry, w.clusters = r, clusters
	}
	return w
}

// mixedTown has the cluster "m" on a MongoDB beside "a" and "b" in files, so that
// there can be one server alone.
func mixedTown(t testing.TB, s *mongotest.Server) *town {
	t.Helper()
	w := sqliteStores(t)
	w.pause = gentle
	w.clusters["m"] = openMongo(t, w, "m", s.URL(s.Database(t)))
	w.open(w.registry, w.clusters)
	return w
}

// every asks for each pair on each topology, which takes a quarter of an hour
// with the stand-in.
func every() bool { return os.Getenv("TENANTRY_TEST_EVERY_PAIR") != "" }

func eachMongoDB(t *testing.T, f func(t *testing.T, s *mongotest.Server)) {
	if testing.Short() {
		t.Skip("moves organizations for a long time")
	}
	for _, kind := range mongotest.Kinds() {
		if kind != mongotest.ReplicaSet && kind != mongotest.Given && !every() {
			continue
		}
		t.Run(string(kind), func(t *testing.T) { f(t, mongotest.Shared(t, kind)) })
	}
}

// some is one of the pairs, or with TENANTRY_TEST_EVERY_PAIR all of them.
func some(all [][2]tenancy.RelocateInput, from, to app.Isolation) (list [][2]tenancy.RelocateInput) {
	for _, pair := range all {
		if every() || pair[0].Isolation == from && pair[1].Isolation == to {
			list = append(list, pair)
		}
	}
	return list
}

// Two servers, each with caches of its own: the writers go through both.
func TestLedgerOnMongoDB(t *testing.T) {
	if !every() {
		t.Skip("the stand-in settles fewer documents a second than the writers touch; TENANTRY_TEST_EVERY_PAIR=1 runs it")
	}
	eachMongoDB(t, func(t *testing.T, s *mongotest.Server) {
		for _, pair := range append(some(pairs("a", "a"), app.IsolationCollection, app.IsolationShared),
			some(pairs("a", "b"), app.IsolationShared, app.IsolationDatabase)...) {
			t.Run(fmt.Sprint(pair), func(t *testing.T) { thereAndBack(t, mongoTown(t, s), pair) })
		}
	})
}

func TestLedgerBetweenEngines(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, s *mongotest.Server) {
		for _, pair := range append(some(pairs("b", "m"), app.IsolationDatabase, app.IsolationCollection),
			some(pairs("m", "b"), app.IsolationCollection, app.IsolationDatabase)...) {
			t.Run(fmt.Sprint(pair), func(t *testing.T) { thereAndBack(t, mixedTown(t, s), pair) })
		}
	})
}
