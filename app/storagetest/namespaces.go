package storagetest

import (
	"strings"
	"testing"

	"tenantry/app"
)

func placing(s clusterSuite) {
	s.test("Locate/NamesThePlace", func(t *testing.T, k *kingdom) {
		id := app.NewID[app.OrganizationID]()
		p, err := k.Locate(id, "acme-co", k.isolation)
		must(t, err)
		equal(t, "collection", p.Collection, app.CollectionIn(k.isolation, "acme-co"))
		equal(t, "isolation", p.Isolation, k.isolation)
		equal(t, "generation", p.Generation, int64(1))
		if p.Cluster == "" || p.Database == "" {
			t.Fatalf("a placement without a cluster or database: %+v", p)
		}
		again, err := k.Locate(id, "acme-co", k.isolation)
		must(t, err)
		equal(t, "the second answer", again, p)
	})

	s.test("Locate/WritesNothing", func(t *testing.T, k *kingdom) {
		k.missing(k.locate("acme"))
	})

	s.test("Locate/RefusesAnUnknownIsolation", func(t *testing.T, k *kingdom) {
		_, err := k.Locate(app.NewID[app.OrganizationID](), "acme", "nonsense")
		is(t, err, app.ErrInvalid)
	})

	s.test("Health/IsWell", func(t *testing.T, k *kingdom) {
		must(t, k.Health(k.ctx))
	})
}

func provisioning(s clusterSuite) {
	s.test("Provision/MakesAnEmptyNamespace", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		equal(t, "documents", k.all(ns), []app.Document{})
		_, err := k.Document(k.ctx, ns, "a")
		is(t, err, app.ErrNotFound)
	})

	s.test("Provision/TwiceIsOnce", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		d := k.insert(ns, "a", "note", `{"n":1}`)
		must(t, k.Provision(k.ctx, ns))
		equal(t, "documents", k.all(ns), []app.Document{d})
	})

	if s.namesAreTaken() {
		s.test("Provision/ATakenCollectionIsAConflict", func(t *testing.T, k *kingdom) {
			other := k.beside(k.neighbour, k.neighbour.Placement.Collection)
			taken(t, k.Provision(k.ctx, other), app.ConflictCollection)
			k.missing(other)
			other.Placement.Collection = "org_free"
			must(t, k.Provision(k.ctx, other))
			equal(t, "documents", k.all(other), []app.Document{})
		})

		s.test("Provision/ConcurrentTakersOneWins", func(t *testing.T, k *kingdom) {
			takers := make([]app.Namespace, 8)
			for i := range takers {
				takers[i] = k.beside(k.neighbour, "org_prize")
			}
			winner := oneWinner(t, race(len(takers), func(i int) error {
				return k.Provision(k.ctx, takers[i])
			}), app.ErrConflict)
			k.insert(takers[winner], "a", "note", `{}`)
			for i, ns := range takers {
				if i != winner {
					k.missing(ns)
				}
			}
		})
	}

	s.test("Provision/ConcurrentlyTheSameIsOnce", func(t *testing.T, k *kingdom) {
		ns := k.locate("acme")
		for _, err := range race(8, func(int) error { return k.Provision(k.ctx, ns) }) {
			must(t, err)
		}
		k.insert(ns, "a", "note", `{}`)
	})
}

func droppingNamespaces(s clusterSuite) {
	s.test("Drop/RemovesEverything", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		k.insert(ns, "a", "note", `{}`)
		must(t, k.Drop(k.ctx, ns))
		k.missing(ns)
	})

	s.test("Drop/WhatIsNotThereIsNoError", func(t *testing.T, k *kingdom) {
		must(t, k.Drop(k.ctx, k.locate("never")))
		ns := k.provision("acme")
		must(t, k.Drop(k.ctx, ns))
		must(t, k.Drop(k.ctx, ns))
	})

	s.test("Drop/TheNextTakerInheritsNothing", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		k.insert(ns, "a", "note", `{}`)
		must(t, k.Drop(k.ctx, ns))
		next := k.beside(ns, ns.Placement.Collection)
		must(t, k.Provision(k.ctx, next))
		equal(t, "documents", k.all(next), []app.Document{})
		d := k.insert(next, "a", "note", `{"whose":"next"}`)
		k.missing(ns)
		must(t, k.Drop(k.ctx, ns)) // by the id of the first: nothing of the next
		equal(t, "documents", k.all(next), []app.Document{d})
	})

	s.test("Drop/ComesBackEmpty", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		k.insert(ns, "a", "note", `{}`)
		must(t, k.Drop(k.ctx, ns))
		must(t, k.Provision(k.ctx, ns))
		equal(t, "documents", k.all(ns), []app.Document{})
		k.insert(ns, "a", "note", `{"n":2}`)
	})
}

func measuring(s clusterSuite) {
	s.test("Stats/CountsItsOwn", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		empty, err := k.Stats(k.ctx, ns)
		must(t, err)
		equal(t, "documents of an empty one", empty.Documents, int64(0))
		k.insert(ns, "a", "note", `{"n":1}`)
		small, err := k.Stats(k.ctx, ns)
		must(t, err)
		k.insert(ns, "b", "task", `{"text":"`+strings.Repeat("x", 10_000)+`"}`)
		large, err := k.Stats(k.ctx, ns)
		must(t, err)
		equal(t, "documents", [2]int64{small.Documents, large.Documents}, [2]int64{1, 2})
		if small.Bytes <= empty.Bytes || large.Bytes < small.Bytes+10_000 {
			t.Fatalf("bytes of none, one and two documents: %d, %d, %d", empty.Bytes, small.Bytes, large.Bytes)
		}
		must(t, k.DeleteDocument(k.ctx, ns, "b", app.AnyRevision))
		again, err := k.Stats(k.ctx, ns)
		must(t, err)
		equal(t, "after a deletion", again, small)
	})
}
