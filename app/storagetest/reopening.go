package storagetest

import (
	"testing"

	"tenantry/app"
)

func reopening(t *testing.T, place func(t *testing.T) (open func() app.Registry)) {
	t.Run("Reopen/KeepsEverything", func(t *testing.T) {
		t.Parallel()
		open := place(t)
		w := newWorld(t, open())
		w.neighbour = w.tenant("neighbour")
		acme := w.tenant("acme")
		rename := w.rename(acme.org, "bolt")
		must(t, w.BeginRename(w.ctx, rename))
		creation := w.creation("half")
		create := w.begin(creation)
		operatorKey, signingKey := w.operatorKey("key"), w.signingKey("one")
		must(t, w.CreateOperatorKey(w.ctx, operatorKey))
		must(t, w.AddSigningKey(w.ctx, signingKey, ""))
		cluster := w.addedCluster("eu")
		must(t, w.AddCluster(w.ctx, cluster))
		must(t, w.Close())

		w.Registry = open()
		t.Cleanup(func() { must(t, w.Close()) })
		w.neighbourIsUntouched()
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
		open1, err := w.OpenOperations(w.ctx, w.now())
		must(t, err)
		equal(t, "open operations", open1, []app.Operation{rename, create})
		keys, err := w.ListOperatorKeys(w.ctx)
		must(t, err)
		equal(t, "operator keys", keys, []app.OperatorKey{operatorKey})
		signing, err := w.SigningKeys(w.ctx)
		must(t, err)
		equal(t, "signing keys", signing, []app.SigningKey{signingKey})
		clusters, err := w.AddedClusters(w.ctx)
		must(t, err)
		equal(t, "added clusters", clusters, []app.AddedCluster{cluster})

		// What was begun before can be ended now.
		org, err := w.FinishRename(w.ctx, rename, w.now())
		must(t, err)
		equal(t, "slug", org.Slug, "bolt")
		must(t, w.AbandonCreate(w.ctx, create, "the server that ran it stopped", w.now()))
		next := w.creation("next") // the old slug and its collection are free
		next.Organization.Slug, next.Organization.Placement.Collection = "acme", app.CollectionName("acme")
		w.create(next)
		w.tenant("half")
	})

	t.Run("Reopen/ManyTimes", func(t *testing.T) {
		t.Parallel()
		open := place(t)
		var all []app.Organization
		w := newWorld(t, nil)
		for range 4 {
			w.Registry = open()
			all = append(all, w.tenant(string(rune('a'+len(all)))+"-org").org)
			equal(t, "organizations", w.pages(app.OrganizationQuery{Sort: app.SortCreated, Limit: 2}, nil), all)
			must(t, w.Close())
		}
	})
}
