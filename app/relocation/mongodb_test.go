package relocation_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/mongodb"
	"tenantry/app/mongodb/mongotest"
	"tenantry/app/relocation"
)

// gentle is how writers write in the ordinary run, where other tests have the
// machine as well. When every pair is asked for, they write as fast as they can,
// which is faster than the stand-in for MongoDB can store what is copied: it
// makes each document of a bulk durable by itself.
const gentle = 150 * time.Millisecond

// ordinary are the terms of the defaults.
var ordinary = relocation.Config{PlacementLease: time.Second, CutoverTimeout: 20 * time.Second, Grace: time.Hour}

func openMongo(t testing.TB, w *town, name, url string) app.Cluster {
	t.Helper()
	c, err := mongodb.OpenCluster(context.Background(), name, mongodb.Options{URL: url, AppVersion: "test", Logger: quiet})
	w.ok(err)
	w.closing(c)
	return c
}

// mixedTown has its registry and the clusters "m" and "n" on a MongoDB, beside
// "a" and "b" in files, and two servers, each with connections and caches of its
// own. One process alone can hold the files: so both servers are in it, and have
// those in common.
func mixedTown(t testing.TB, s *mongotest.Server) *town {
	t.Helper()
	w := &town{t: t, clusters: map[string]app.Cluster{}, terms: ordinary, pause: gentle}
	if every() || s.Kind == mongotest.Given {
		w.pause = 0
	}
	folder := t.TempDir()
	for _, name := range []string{"a", "b"} {
		w.addSQLite(name, folder)
	}
	registry, m, n := s.Database(t), s.Database(t), s.Database(t)
	files := w.clusters
	for range 2 {
		clusters := maps.Clone(files)
		clusters["m"], clusters["n"] = openMongo(t, w, "m", s.URL(m)), openMongo(t, w, "n", s.URL(n))
		r, err := mongodb.OpenRegistry(context.Background(), mongodb.Options{URL: s.URL(registry), AppVersion: "test", Logger: quiet,
			Lease: w.terms.PlacementLease})
		w.ok(err)
		w.closing(r)
		w.open(r, clusters)
		w.registry, w.clusters = r, clusters
	}
	return w
}
