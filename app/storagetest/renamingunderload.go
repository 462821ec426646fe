package storagetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tenantry/app"
)

// renamingUnderLoad tests the promise on Cluster: who reads and writes while
// namespaces are renamed never finds one missing, and never somebody else's.
func renamingUnderLoad(s clusterSuite) {
	s.test("Rename/UnderReadersAndWriters", func(t *testing.T, k *kingdom) {
		// Two organizations swap names through a third name, so that the name a
		// reader remembers belongs to the other an instant later.
		a := k.provision("acme")
		b := k.beside(a, "org_bolt")
		must(t, k.Provision(k.ctx, b))
		owners := []app.Namespace{a, b}
		for i, ns := range owners {
			k.insert(ns, "shared", "note", whose(i, "fixed"))
		}

		var stop atomic.Bool
		var wait sync.WaitGroup
		written := make([]atomic.Int64, len(owners))
		for n := range 16 {
			owner := n % 2
			wait.Go(func() { k.useUntil(&stop, owners[owner], owner, n, n/2%2 == 0, &written[owner]) })
		}
		err := k.swapNames(owners, 12)
		stop.Store(true)
		wait.Wait()
		must(t, err)

		for i, ns := range owners {
			list := k.all(ns)
			equal(t, "number of documents", int64(len(list)), written[i].Load()+1)
			for _, d := range list {
				if !strings.Contains(string(d.Data), fmt.Sprintf(`"whose":%d`, i)) {
					t.Fatalf("organization %d has %s", i, d.Data)
				}
			}
		}
	})

	s.test("Rename/TheOldNameIsTakenAtOnce", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		k.insert(ns, "shared", "note", whose(0, "fixed"))
		var stop atomic.Bool
		var wait sync.WaitGroup
		var written atomic.Int64
		for n := range 16 {
			wait.Go(func() { k.useUntil(&stop, ns, 0, n, n%2 == 0, &written) })
		}
		err := func() error {
			for i := range 12 {
				from, to := fmt.Sprintf("org_name_%d", i), fmt.Sprintf("org_name_%d", i+1)
				if i == 0 {
					from = ns.Placement.Collection
				}
				if err := k.Rename(k.ctx, ns, k.named(to), int64(i+2)); err != nil {
					return err
				}
				taker := k.beside(ns, from)
				if err := k.Provision(k.ctx, taker); err != nil {
					return err
				}
				if err := k.InsertDocument(k.ctx, taker, newDocument("shared", "note", whose(1, from))); err != nil {
					return err
				}
				list, err := k.ListDocuments(k.ctx, taker, app.DocumentQuery{Limit: 100})
				if err != nil || len(list) != 1 {
					return fmt.Errorf("the taker has %d documents: %w", len(list), err)
				}
			}
			return nil
		}()
		stop.Store(true)
		wait.Wait()
		must(t, err)
		equal(t, "number of documents", int64(len(k.all(ns))), written.Load()+1)
	})

	s.test("Drop/UnderReadersAndWriters", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		k.insert(ns, "shared", "note", whose(0, "fixed"))
		next := k.beside(ns, ns.Placement.Collection)
		answers := race(17, func(n int) error {
			if n == 16 {
				if err := k.Drop(k.ctx, ns); err != nil {
					return err
				}
				if err := k.Provision(k.ctx, next); err != nil {
					return err
				}
				return k.InsertDocument(k.ctx, next, newDocument("shared", "note", whose(1, "next")))
			}
			for i := range 50 {
				var err error
				if n%2 == 0 {
					err = k.InsertDocument(k.ctx, ns, newDocument(app.DocumentID(fmt.Sprintf("w-%d-%d", n, i)), "note", whose(0, "w")))
				} else {
					var d app.Document
					if d, err = k.Document(k.ctx, ns, "shared"); err == nil && string(d.Data) != whose(0, "fixed") {
						return fmt.Errorf("read another's document: %s", d.Data)
					}
				}
				if err != nil {
					if errors.Is(err, app.ErrNotFound) {
						return nil
					}
					return err
				}
			}
			return nil
		})
		for _, err := range answers {
			must(t, err)
		}
		list := k.all(next)
		equal(t, "number of the next one's documents", len(list), 1)
		k.missing(ns)
	})
}

func whose(owner int, what string) string {
	return fmt.Sprintf(`{"whose":%d,"what":%q}`, owner, what)
}

// swapNames renames two namespaces of one database around each other.
func (k *kingdom) swapNames(owners []app.Namespace, rounds int) error {
	names := []string{owners[0].Placement.Collection, owners[1].Placement.Collection}
	generation := int64(1)
	for range rounds {
		generation += 2
		for _, step := range []struct {
			owner      int
			name       string
			generation int64
		}{{0, "org_between", generation - 1}, {1, names[0], generation}, {0, names[1], generation}} {
			if err := k.Rename(k.ctx, owners[step.owner], k.named(step.name), step.generation); err != nil {
				return err
			}
		}
		names[0], names[1] = names[1], names[0]
	}
	return nil
}

// useUntil reads or writes an organization's documents until told to stop, and
// fails the test at the first answer that it must not get.
func (k *kingdom) useUntil(stop *atomic.Bool, ns app.Namespace, owner, worker int, reads bool, written *atomic.Int64) {
	mine := fmt.Sprintf(`"whose":%d`, owner)
	for i := 0; !stop.Load(); i++ {
		var err error
		var seen []app.Document
		switch {
		case !reads:
			id := app.DocumentID(fmt.Sprintf("w-%d-%d", worker, i))
			if err = k.InsertDocument(k.ctx, ns, newDocument(id, "note", whose(owner, "written"))); err == nil {
				written.Add(1)
				_, err = k.UpdateDocument(k.ctx, ns, id, 1, func(d *app.Document) error {
					seen = []app.Document{*d}
					return nil
				})
			}
			if err == nil {
				_, err = k.ReplaceDocument(k.ctx, ns, id, 2, app.Replacement{Data: []byte(whose(owner, "replaced")), At: beginning})
			}
		case i%3 == 0:
			seen, err = k.ListDocuments(k.ctx, ns, app.DocumentQuery{Type: "note", Limit: 3})
		case i%3 == 1:
			var d app.Document
			d, err = k.Document(k.ctx, ns, "shared")
			seen = []app.Document{d}
		default:
			_, err = k.Stats(k.ctx, ns)
		}
		if err != nil {
			k.t.Errorf("organization %d, worker %d: %v", owner, worker, err)
			return
		}
		for _, d := range seen {
			if !strings.Contains(string(d.Data), mine) {
				k.t.Errorf("organization %d saw %s", owner, d.Data)
				return
			}
		}
	}
}
