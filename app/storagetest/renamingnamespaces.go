package storagetest

import (
	"testing"

	"tenantry/app"
)

func renamingNamespaces(s clusterSuite) {
	s.test("Rename/DataFollows", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		d := k.insert(ns, "a", "note", `{"n":1}`)
		must(t, k.Rename(k.ctx, ns, k.named("org_bolt"), 2))
		// Who has not heard yet finds its data as well as who has.
		for _, known := range []app.Namespace{ns, renamed(ns, k.named("org_bolt"))} {
			equal(t, "documents", k.all(known), []app.Document{d})
			equal(t, "document", k.document(known, "a"), d)
			list, err := k.ListDocuments(k.ctx, known, app.DocumentQuery{Type: "note", Limit: 5})
			must(t, err)
			equal(t, "documents of a type", list, []app.Document{d})
		}
		second := k.insert(ns, "b", "note", `{"n":2}`)
		equal(t, "documents", k.all(renamed(ns, k.named("org_bolt"))), []app.Document{d, second})
	})

	s.test("Rename/TwiceIsOnce", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		d := k.insert(ns, "a", "note", `{}`)
		must(t, k.Rename(k.ctx, ns, k.named("org_bolt"), 2))
		must(t, k.Rename(k.ctx, ns, k.named("org_bolt"), 2))
		equal(t, "documents", k.all(renamed(ns, k.named("org_bolt"))), []app.Document{d})
	})

	s.test("Rename/BackUndoesIt", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		d := k.insert(ns, "a", "note", `{}`)
		must(t, k.Rename(k.ctx, ns, k.named("org_bolt"), 2))
		must(t, k.Rename(k.ctx, ns, ns.Placement.Collection, ns.Placement.Generation))
		must(t, k.Rename(k.ctx, ns, ns.Placement.Collection, ns.Placement.Generation))
		equal(t, "documents", k.all(ns), []app.Document{d})
		other := k.beside(ns, "org_bolt")
		must(t, k.Provision(k.ctx, other)) // the new name is free again
		equal(t, "documents of the other", k.all(other), []app.Document{})
	})

	s.test("Rename/TheOldNameIsFree", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		d := k.insert(ns, "a", "note", `{"whose":"first"}`)
		must(t, k.Rename(k.ctx, ns, k.named("org_bolt"), 2))
		next := k.beside(ns, "org_acme")
		must(t, k.Provision(k.ctx, next))
		equal(t, "the next taker's documents", k.all(next), []app.Document{})
		other := k.insert(next, "a", "note", `{"whose":"next"}`)
		// The first one's old placement names the collection that is another's now.
		equal(t, "the first one's documents", k.all(ns), []app.Document{d})
		equal(t, "the first one's document", k.document(ns, "a"), d)
		equal(t, "the next one's document", k.document(next, "a"), other)
		must(t, k.DeleteDocument(k.ctx, ns, "a", app.AnyRevision))
		equal(t, "the next one's document", k.document(next, "a"), other)
	})

	if s.namesAreTaken() {
		s.test("Rename/ATakenNameChangesNothing", func(t *testing.T, k *kingdom) {
			ns := k.provision("acme")
			d := k.insert(ns, "a", "note", `{}`)
			other := k.beside(ns, "org_other")
			must(t, k.Provision(k.ctx, other))
			taken(t, k.Rename(k.ctx, ns, k.named("org_other"), 2), app.ConflictCollection)
			equal(t, "documents", k.all(ns), []app.Document{d})
			equal(t, "documents of the other", k.all(other), []app.Document{})
		})
	}

	s.test("Rename/UnknownIsNotFound", func(t *testing.T, k *kingdom) {
		is(t, k.Rename(k.ctx, k.locate("acme"), k.named("org_bolt"), 2), app.ErrNotFound)
	})

	s.test("Rename/InARing", func(t *testing.T, k *kingdom) {
		a := k.provision("acme")
		b := k.beside(a, "org_bolt")
		must(t, k.Provision(k.ctx, b))
		k.insert(a, "a", "note", `{"whose":"a"}`)
		k.insert(b, "a", "note", `{"whose":"b"}`)
		must(t, k.Rename(k.ctx, a, k.named("org_between"), 2))
		must(t, k.Rename(k.ctx, b, k.named("org_acme"), 2))
		must(t, k.Rename(k.ctx, a, k.named("org_bolt"), 3))
		equal(t, "a's", string(k.document(a, "a").Data), `{"whose":"a"}`)
		equal(t, "b's", string(k.document(b, "a").Data), `{"whose":"b"}`)
	})
}
