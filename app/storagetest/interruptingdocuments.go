package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tenantry/app"
)

func interruptingDocuments(s clusterSuite) {
	s.test("Context/ACancelledOneBeginsNothing", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		d := k.insert(ns, "a", "note", `{}`)
		gone, cancel := context.WithCancel(k.ctx)
		cancel()
		_, err := k.Document(gone, ns, "a")
		cancelled(t, err)
		_, err = k.ListDocuments(gone, ns, app.DocumentQuery{Limit: 5})
		cancelled(t, err)
		cancelled(t, k.InsertDocument(gone, ns, newDocument("b", "note", `{}`)))
		_, err = k.UpdateDocument(gone, ns, "a", app.AnyRevision, func(*app.Document) error { return nil })
		cancelled(t, err)
		_, err = k.ReplaceDocument(gone, ns, "a", app.AnyRevision, app.Replacement{Data: []byte(`{"n":1}`), At: beginning})
		cancelled(t, err)
		cancelled(t, k.DeleteDocument(gone, ns, "a", app.AnyRevision))
		cancelled(t, k.Rename(gone, ns, k.named("org_bolt"), 2))
		cancelled(t, k.Drop(gone, ns))
		never := k.locate("never")
		cancelled(t, k.Provision(gone, never))
		k.missing(never)
		equal(t, "documents", k.all(ns), []app.Document{d})
	})

	s.test("Context/AStormOfCancellationsTearsNothing", func(t *testing.T, k *kingdom) {
		const n = 200
		ns := k.provision("acme")
		answers := race(n, func(i int) error {
			ctx, cancel := context.WithTimeout(k.ctx, time.Duration(i*20)*time.Microsecond)
			defer cancel()
			if i%3 == 0 {
				_, err := k.ListDocuments(ctx, ns, app.DocumentQuery{Limit: 50})
				return err
			}
			return k.InsertDocument(ctx, ns, newDocument(storm(i), "note", fmt.Sprintf(`{"i":%d}`, i)))
		})
		for i, answer := range answers {
			if i%3 == 0 {
				continue
			}
			d, err := k.Document(k.ctx, ns, storm(i))
			switch {
			case errors.Is(err, app.ErrNotFound) && answer == nil:
				t.Fatal("an acknowledged document is not there")
			case errors.Is(err, app.ErrNotFound):
			default:
				must(t, err)
				equal(t, "document", d, newDocument(storm(i), "note", fmt.Sprintf(`{"i":%d}`, i)))
			}
		}
		k.insert(ns, "after-the-storm", "note", `{}`)
	})
}

func storm(i int) app.DocumentID { return app.DocumentID(fmt.Sprintf("d-%d", i)) }
