package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"tenantry/app"
)

func (w *world) addedCluster(name string) app.AddedCluster {
	return app.AddedCluster{Name: name, Sealed: append([]byte{0, 255, 1}, hashOf("sealed "+name)...), Place: hashOf("place " + name), Shards: 7,
		Isolations:    []app.Isolation{app.IsolationShared, app.IsolationCollection},
		MaxNamespaces: 3000, Instead: "us", Revision: 1, CreatedAt: w.now()}
}

func isTaken(err error, field app.ConflictField) bool {
	var taken *app.TakenError
	return errors.As(err, &taken) && taken.Field == field
}

func addedClusters(s registrySuite) {
	all := func(t *testing.T, w *world) []app.AddedCluster {
		t.Helper()
		list, err := w.AddedClusters(w.ctx)
		must(t, err)
		return list
	}

	s.test("AddCluster/RoundTripsEveryField", func(t *testing.T, w *world) {
		want := w.addedCluster("eu-1")
		must(t, w.AddCluster(w.ctx, want))
		equal(t, "clusters", all(t, w), []app.AddedCluster{want})
	})

	s.test("AddedClusters/ByName", func(t *testing.T, w *world) {
		equal(t, "clusters of a new registry", len(all(t, w)), 0)
		var want []string
		for _, name := range []string{"m", "a-b", "z", "a"} {
			must(t, w.AddCluster(w.ctx, w.addedCluster(name)))
			want = append(want, name)
		}
		slices.Sort(want)
		var got []string
		for _, k := range all(t, w) {
			got = append(got, k.Name)
		}
		equal(t, "names", got, want)
	})

	s.test("AddCluster/ConcurrentServersOneWins", func(t *testing.T, w *world) {
		clusters := make([]app.AddedCluster, 8)
		for i := range clusters {
			clusters[i] = w.addedCluster("eu")
			clusters[i].Shards = i + 1
		}
		winner := oneWinner(t, race(len(clusters), func(i int) error { return w.AddCluster(w.ctx, clusters[i]) }), app.ErrConflict)
		equal(t, "clusters", all(t, w), []app.AddedCluster{clusters[winner]})
		if err := w.AddCluster(w.ctx, clusters[0]); !isTaken(err, app.ConflictCluster) {
			t.Fatalf("a name that is taken: %v", err)
		}
	})

	s.test("AddCluster/OnePlaceOneCluster", func(t *testing.T, w *world) {
		clusters := make([]app.AddedCluster, 8)
		for i := range clusters {
			clusters[i] = w.addedCluster(fmt.Sprint("eu-", i))
			clusters[i].Place = hashOf("one place")
		}
		other := w.addedCluster("us")
		must(t, w.AddCluster(w.ctx, other))
		winner := clusters[oneWinner(t, race(len(clusters), func(i int) error { return w.AddCluster(w.ctx, clusters[i]) }), app.ErrConflict)]
		equal(t, "clusters", all(t, w), []app.AddedCluster{winner, other})
		again := w.addedCluster("another")
		again.Place = winner.Place
		taken(t, w.AddCluster(w.ctx, again), app.ConflictClusterPlace)
		other.Place = winner.Place
		taken(t, w.ReplaceCluster(w.ctx, other), app.ConflictClusterPlace)
		// It is free when its cluster is gone, or at another place.
		must(t, w.RemoveCluster(w.ctx, winner.Name))
		must(t, w.AddCluster(w.ctx, again))
		moved := again
		moved.Place = hashOf("another place")
		must(t, w.ReplaceCluster(w.ctx, moved))
		must(t, w.ReplaceCluster(w.ctx, other))
		for _, name := range []string{"unknown", "unknown-2"} { // where they are is not known
			k := w.addedCluster(name)
			k.Place = nil
			must(t, w.AddCluster(w.ctx, k))
		}
	})

	s.test("ReplaceCluster/NextRevision", func(t *testing.T, w *world) {
		before, other := w.addedCluster("eu"), w.addedCluster("us")
		must(t, w.AddCluster(w.ctx, before))
		must(t, w.AddCluster(w.ctx, other))
		is(t, w.ReplaceCluster(w.ctx, w.addedCluster("moon")), app.ErrNotFound)
		next := before
		next.Sealed, next.Shards, next.Isolations, next.MaxNamespaces, next.Closing, next.Instead = []byte("other"), 9, []app.Isolation{app.IsolationDatabase}, 0, true, ""
		must(t, w.ReplaceCluster(w.ctx, next))
		is(t, w.ReplaceCluster(w.ctx, before), app.ErrStale)
		next.Revision = 2
		equal(t, "clusters", all(t, w), []app.AddedCluster{next, other})
	})

	s.test("ReplaceCluster/WithNothingSealed", func(t *testing.T, w *world) {
		k := app.AddedCluster{Name: "eu", Closing: true, Instead: "us", Revision: 1, CreatedAt: w.now()}
		must(t, w.AddCluster(w.ctx, k))
		list := all(t, w)
		equal(t, "sealed", len(list[0].Sealed), 0)
		must(t, w.ReplaceCluster(w.ctx, list[0]))
		next := w.addedCluster("eu")
		next.Revision, next.CreatedAt = 2, k.CreatedAt
		must(t, w.ReplaceCluster(w.ctx, next))
		next.Revision = 3
		equal(t, "clusters", all(t, w), []app.AddedCluster{next})
	})

	s.test("RemoveCluster/NotWhileSomebodyLivesThere", func(t *testing.T, w *world) {
		is(t, w.RemoveCluster(w.ctx, "eu"), app.ErrNotFound)
		must(t, w.AddCluster(w.ctx, w.addedCluster("eu")))
		must(t, w.AddCluster(w.ctx, w.addedCluster("us")))
		c := w.creation("acme")
		c.Organization.Placement.Cluster = "eu"
		op := w.begin(c)
		if err := w.RemoveCluster(w.ctx, "eu"); !isTaken(err, app.ConflictInhabited) {
			t.Fatalf("where an organization is being made: %v", err)
		}
		org, err := w.FinishCreate(w.ctx, op, w.now())
		must(t, err)
		if err := w.RemoveCluster(w.ctx, "eu"); !isTaken(err, app.ConflictInhabited) {
			t.Fatalf("where an organization lives: %v", err)
		}
		remove := w.operation(app.OperationDelete, org)
		must(t, w.BeginDelete(w.ctx, remove, app.AnyRevision))
		if err := w.RemoveCluster(w.ctx, "eu"); !isTaken(err, app.ConflictInhabited) {
			t.Fatalf("where an organization is being deleted: %v", err)
		}
		must(t, w.FinishDelete(w.ctx, remove, w.now()))
		must(t, w.RemoveCluster(w.ctx, "eu"))
		is(t, w.RemoveCluster(w.ctx, "eu"), app.ErrNotFound)
		left := all(t, w)
		equal(t, "clusters left", len(left), 1)
		equal(t, "the one left", left[0].Name, "us")
		must(t, w.AddCluster(w.ctx, w.addedCluster("eu"))) // the name is free
	})

	s.test("RemoveCluster/NotWhileSomebodyIsOnTheWay", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		for what, at := range map[string]func(*app.Relocation){
			"from": func(r *app.Relocation) { r.Source.Cluster = "eu" }, "to": func(r *app.Relocation) { r.Target.Cluster = "eu" },
		} {
			must(t, w.AddCluster(w.ctx, w.addedCluster("eu")))
			op := w.relocation(w.organization(acme.org.ID))
			at(op.Relocation)
			must(t, w.BeginRelocation(w.ctx, op))
			if err := w.RemoveCluster(w.ctx, "eu"); !isTaken(err, app.ConflictInhabited) {
				t.Fatalf("where a relocation leads %s: %v", what, err)
			}
			must(t, w.EndRelocation(w.ctx, op, app.OperationFailed, "why", w.now()))
			must(t, w.RemoveCluster(w.ctx, "eu"))
		}
	})

	s.test("Subscribe/HearsOfClusters", func(t *testing.T, w *world) {
		var heard feed
		w.Subscribe(heard.add)
		hears := func(what string, err error) {
			t.Helper()
			must(t, err)
			if !slices.ContainsFunc(heard.take(), func(i app.Invalidation) bool { return i.Clusters }) {
				t.Fatalf("%s was not announced", what)
			}
		}
		k := w.addedCluster("eu")
		hears("AddCluster", w.AddCluster(w.ctx, k))
		hears("ReplaceCluster", w.ReplaceCluster(w.ctx, k))
		hears("RemoveCluster", w.RemoveCluster(w.ctx, "eu"))
	})
}
