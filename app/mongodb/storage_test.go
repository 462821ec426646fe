package mongodb

import (
	"context"
	"flag"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
	"tenantry/app/storagetest"
)

// The model is compared in fewer runs than with files, since each is a database
// of its own, on each kind of server; -rapid.checks=100 asks for as many.
func init() { _ = flag.Set("rapid.checks", "8") }

var isolations = []app.Isolation{app.IsolationCollection, app.IsolationShared, app.IsolationDatabase}

func eachKind(t *testing.T, f func(t *testing.T, s *mongotest.Server)) {
	for _, kind := range mongotest.Kinds() {
		t.Run(string(kind), func(t *testing.T) { f(t, mongotest.Shared(t, kind)) })
	}
}

// eachOwn is eachKind for long suites, each at the same time as others and on a
// server of its own: the stand-in works with one processor, and gets slow where
// it has had thousands of databases.
func eachOwn(t *testing.T, f func(t *testing.T, s *mongotest.Server)) {
	for _, kind := range mongotest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			if kind == mongotest.Given {
				f(t, mongotest.Shared(t, kind))
				return
			}
			f(t, mongotest.Start(t, kind))
		})
	}
}

func openTestRegistry(t *testing.T, s *mongotest.Server, database string) *Registry {
	t.Helper()
	r, err := OpenRegistry(context.Background(), Options{URL: s.URL(database), AppVersion: "test", Monitor: watch(t, s, "registry")})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRegistry(t *testing.T) {
	eachOwn(t, func(t *testing.T, s *mongotest.Server) {
		storagetest.Registry(t, func(t *testing.T) app.Registry {
			r := openTestRegistry(t, s, s.Database(t))
			t.Cleanup(func() { _ = r.Close() })
			return r
		})
	})
}

func TestRegistryReopen(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		storagetest.RegistryReopen(t, func(t *testing.T) func() app.Registry {
			database := s.Database(t)
			return func() app.Registry { return openTestRegistry(t, s, database) }
		})
	})
}

func openTestCluster(t *testing.T, s *mongotest.Server, database string) *Cluster {
	t.Helper()
	// The server has many suites at once, and no time is promised here.
	c, err := OpenCluster(context.Background(), "default", Options{URL: s.URL(database) + "&timeoutMS=30000", AppVersion: "test", Monitor: watch(t, s, "cluster")})
	if err != nil {
		t.Fatal(err)
	}
	within(t, 2*time.Minute, "the cluster is there", func() bool { return c.here() == nil })
	return c
}

func TestCluster(t *testing.T) {
	eachOwn(t, func(t *testing.T, s *mongotest.Server) {
		storagetest.Cluster(t, func(t *testing.T) app.Cluster {
			c := openTestCluster(t, s, s.Database(t))
			t.Cleanup(func() { _ = c.Close() })
			return bare{owned{c}, s.Client()}
		}, isolations...)
	})
}

func TestClusterReopen(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		storagetest.ClusterReopen(t, func(t *testing.T) func() app.Cluster {
			database := s.Database(t)
			return func() app.Cluster { return openTestCluster(t, s, database) }
		}, isolations...)
	})
}

func TestMovableRegistry(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		storagetest.MovableRegistry(t, func(t *testing.T) storagetest.RegistryPlace {
			o := Options{URL: s.URL(s.Database(t)), AppVersion: "test", Monitor: watch(t, s, "registry"), Lease: 40 * time.Millisecond}
			return storagetest.RegistryPlace{
				Serve: func() (app.Registry, error) { return OpenRegistry(context.Background(), o) },
				Move:  func() (app.MovableRegistry, error) { return OpenMovableRegistry(context.Background(), o, false) },
			}
		})
	})
}
