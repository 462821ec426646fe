package storagetest

import (
	"context"
	"testing"

	"tenantry/app"
)

func reopeningCluster(t *testing.T, place func(t *testing.T) (open func() app.Cluster), isolation app.Isolation) {
	t.Run("Reopen/KeepsEverything/"+string(isolation), func(t *testing.T) {
		t.Parallel()
		open := place(t)
		k := &kingdom{Cluster: open(), isolation: isolation, t: t, ctx: context.Background()}
		k.settle()
		acme, dropped, empty := k.provision("acme"), k.provision("dropped"), k.provision("empty")
		want := []app.Document{k.insert(acme, "a", "note", `{"n":1.0}`), k.insert(acme, "b", "task", `{}`)}
		k.insert(dropped, "a", "note", `{}`)
		must(t, k.Drop(k.ctx, dropped))
		must(t, k.Rename(k.ctx, acme, k.named("org_bolt"), 2))
		must(t, k.Close())

		for range 2 {
			k.Cluster = open()
			k.neighbourIsUntouched()
			for _, known := range []app.Namespace{acme, renamed(acme, k.named("org_bolt"))} {
				equal(t, "documents", k.all(known), want)
			}
			equal(t, "documents of the empty one", k.all(empty), []app.Document{})
			k.missing(dropped)
			must(t, k.Provision(k.ctx, renamed(acme, k.named("org_bolt"))))
			next, err := k.Locate(acme.Organization, "acme", isolation)
			must(t, err)
			equal(t, "where it would be", next, acme.Placement)
			want = append(want, k.insert(acme, app.DocumentID("c"+string(rune('0'+len(want)))), "note", `{}`))
			must(t, k.Close())
		}
	})
}
