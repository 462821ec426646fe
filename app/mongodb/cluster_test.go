package mongodb

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/event"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

func document(id app.DocumentID, data string) app.Document {
	return app.Document{ID: id, Type: "note", Revision: 1, CreatedAt: app.Now(), UpdatedAt: app.Now(), Data: []byte(data)}
}

func place(t *testing.T, c *Cluster, slug string) app.Namespace {
	t.Helper()
	id := app.NewID[app.OrganizationID]()
	p, err := c.Locate(id, slug, app.IsolationCollection)
	if err != nil {
		t.Fatal(err)
	}
	return app.Namespace{Organization: id, Placement: p}
}

// at is a namespace as it is known at a generation.
func at(ns app.Namespace, generation int64) app.Namespace {
	ns.Placement.Generation = generation
	return ns
}

func ids(t *testing.T, c *Cluster, ns app.Namespace) string {
	t.Helper()
	list, err := c.ListDocuments(t.Context(), ns, app.DocumentQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var s string
	for _, d := range list {
		s += string(d.ID) + " "
	}
	return s
}

// A server that has not heard of a rename, nor of who took the old name next,
// is refused by the store whatever it does, and finds its data.
func TestAServerThatHasNotHeardOfARename(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		database := s.Database(t)
		a, b := openTestCluster(t, s, database), openTestCluster(t, s, database)
		defer func() { _, _ = a.Close(), b.Close() }()
		ctx := t.Context()
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		acme := place(t, a, "acme")
		check(a.Provision(ctx, acme))
		for _, d := range []app.DocumentID{"read", "changed", "replaced", "removed", "listed"} {
			check(b.InsertDocument(ctx, acme, document(d, `{"of":"acme"}`))) // b remembers where
		}
		for round := range 4 {
			to := fmt.Sprintf("org_acme_%d", round)
			check(a.Rename(ctx, acme, to, int64(round+2)))
			next := place(t, a, "acme")
			if round > 0 {
				next.Placement.Collection = fmt.Sprintf("org_acme_%d", round-1)
			}
			if round != 1 { // once the old name stays free
				check(a.Provision(ctx, next))
				check(a.InsertDocument(ctx, next, document("read", `{"of":"next"}`)))
			}
			remembered, _ := b.names.get(keyIn(acme))
			if remembered.Generation != int64(round+1) {
				t.Fatalf("b remembers generation %d: the test tests nothing", remembered.Generation)
			}
			switch round {
			case 0:
				check(b.InsertDocument(ctx, acme, document("inserted", `{"of":"acme"}`)))
			case 1:
				_, err := b.UpdateDocument(ctx, acme, "changed", app.AnyRevision, func(d *app.Document) error {
					d.Data = []byte(`{"of":"acme","changed":1}`)
					return nil
				})
				check(err)
			case 2:
				check(b.DeleteDocument(ctx, acme, "removed", app.AnyRevision))
			case 3:
				_, err := b.ReplaceDocument(ctx, acme, "replaced", app.AnyRevision, app.Replacement{Data: []byte(`{"of":"acme","replaced":1}`), At: app.Now()})
				check(err)
			}
			d, err := b.Document(ctx, acme, "read")
			if err != nil || string(d.Data) != `{"of":"acme"}` {
				t.Fatalf("read %s (%v)", d.Data, err)
			}
			if round != 1 {
				if got := ids(t, a, next); got != "read " {
					t.Fatalf("the next taker has %s", got)
				}
			}
		}
		if got, want := ids(t, a, acme), "changed inserted listed read replaced "; got != want {
			t.Fatalf("the organization has %s, want %s", got, want)
		}
		// And of a deletion.
		check(a.Drop(ctx, at(acme, 5)))
		if _, err := b.Document(ctx, acme, "read"); !errors.Is(err, app.ErrNotFound) {
			t.Fatalf("read of a dropped one: %v", err)
		}
	})
}

// What a server that has not heard of a rename writes where nothing stands was
// acknowledged, and is brought to where it belongs by who takes the name.
func TestAStrayDocumentIsDelivered(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, taking := range []string{"provision", "rename"} {
			database := s.Database(t)
			a, b := openTestCluster(t, s, database), openTestCluster(t, s, database)
			acme, next := place(t, a, "acme"), place(t, a, "next")
			check(a.Provision(t.Context(), acme))
			check(a.Provision(t.Context(), next))
			check(b.InsertDocument(t.Context(), acme, document("d", `{}`)))
			check(a.Rename(t.Context(), acme, "org_bolt", 2))
			check(a.db.Collection("org_acme").Drop(t.Context())) // behind the program's back
			check(b.InsertDocument(t.Context(), acme, document("stray", `{}`)))
			taker := next
			if taking == "rename" {
				check(a.Rename(t.Context(), next, "org_acme", 2))
			} else {
				taker = place(t, a, "acme")
				check(a.Provision(t.Context(), taker))
			}
			if got := ids(t, a, acme) + "| " + ids(t, a, taker); got != "d stray | " {
				t.Fatalf("%s: %s", taking, got)
			}
			// And where one was before, something stands after a deletion as well.
			check(a.Drop(t.Context(), at(taker, 2)))
			there, err := a.look(t.Context(), namespaceDoc{}, "org_acme")
			if err != nil || !there.refuses {
				t.Fatalf("%s: after the deletion: %+v (%v)", taking, there, err)
			}
			_, _ = a.Close(), b.Close()
		}
	})
}

// dying gives a cluster whose connection breaks before its n-th command of a
// change, as if its process had died there. died says whether it came so far.
func dying(t *testing.T, s *mongotest.Server, database string, n int64) (c *Cluster, arm func(bool), died func() bool) {
	t.Helper()
	var armed, broken atomic.Bool
	var seen atomic.Int64
	monitor := &event.CommandMonitor{Started: func(_ context.Context, _ *event.CommandStartedEvent) {
		if armed.Load() && seen.Add(1) >= n {
			broken.Store(true)
			panic(errDied)
		}
	}}
	c, err := OpenCluster(t.Context(), "default", Options{URL: s.URL(database), Monitor: monitor})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, armed.Store, broken.Load
}

var errDied = errors.New("died")

// quietly runs what may die, and gives its error.
func quietly(f func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = errDied
		}
	}()
	return f()
}

// A rename that broke off before any of its commands is finished, or taken
// back, by another server, and loses nothing.
func TestARenameThatBrokeOff(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		for _, back := range []bool{false, true} {
			for n := int64(1); ; n++ {
				database := s.Database(t)
				a, arm, died := dying(t, s, database, n)
				b := openTestCluster(t, s, database)
				acme, other := place(t, b, "acme"), place(t, b, "other")
				for _, ns := range []app.Namespace{acme, other} {
					if err := b.Provision(t.Context(), ns); err != nil {
						t.Fatal(err)
					}
					if err := b.InsertDocument(t.Context(), ns, document("d", `{}`)); err != nil {
						t.Fatal(err)
					}
				}
				arm(true)
				_ = quietly(func() error { return a.Rename(t.Context(), acme, "org_bolt", 2) })
				arm(false)
				to, generation := "org_bolt", int64(2)
				if back {
					to, generation = "org_acme", 1
				}
				if err := b.Rename(t.Context(), acme, to, generation); err != nil {
					t.Fatalf("broken off before command %d, back %v: %v", n, back, err)
				}
				if err := b.InsertDocument(t.Context(), acme, document("e", `{}`)); err != nil {
					t.Fatal(err)
				}
				if got := ids(t, b, acme) + "| " + ids(t, b, other); got != "d e | d " {
					t.Fatalf("broken off before command %d, back %v: %s", n, back, got)
				}
				list, err := b.Namespaces(t.Context())
				if err != nil || len(list) != 2 {
					t.Fatalf("%d namespaces (%v)", len(list), err)
				}
				free := place(t, b, "acme")
				if !back {
					if err := b.Provision(t.Context(), free); err != nil {
						t.Fatalf("the old name is not free: %v", err)
					}
					if got := ids(t, b, free); got != "" {
						t.Fatalf("the next taker has %s", got)
					}
				}
				_ = b.Close()
				if !died() {
					if n < 8 {
						t.Fatalf("a rename takes only %d commands: the test sees none", n)
					}
					break
				}
			}
		}
	})
}

// A creation and a deletion that broke off are finished by who does them again.
func TestProvisioningAndDroppingThatBrokeOff(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		for what, f := range map[string]func(c *Cluster, ns app.Namespace) error{
			"provision": func(c *Cluster, ns app.Namespace) error { return c.Provision(context.Background(), ns) },
			"drop":      func(c *Cluster, ns app.Namespace) error { return c.Drop(context.Background(), ns) },
		} {
			for n := int64(1); ; n++ {
				database := s.Database(t)
				a, arm, died := dying(t, s, database, n)
				b := openTestCluster(t, s, database)
				acme := place(t, b, "acme")
				if what == "drop" {
					if err := b.Provision(t.Context(), acme); err != nil {
						t.Fatal(err)
					}
				}
				arm(true)
				_ = quietly(func() error { return f(a, acme) })
				arm(false)
				if err := f(b, acme); err != nil {
					t.Fatalf("%s broken off before command %d: %v", what, n, err)
				}
				switch what {
				case "provision":
					if err := b.InsertDocument(t.Context(), acme, document("d", `{}`)); err != nil {
						t.Fatal(err)
					}
				case "drop":
					if err := b.Provision(t.Context(), place(t, b, "acme")); err != nil {
						t.Fatalf("the name is not free: %v", err)
					}
				}
				_ = b.Close()
				if !died() {
					break
				}
			}
		}
	})
}
