package mongodb

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// standing are the collections of organizations in a database, and whatever acts
// have left.
func standing(t *testing.T, s *mongotest.Server, database string) (names []string) {
	t.Helper()
	all, err := s.Client().Database(database).ListCollectionNames(t.Context(), bson.D{})
	must(t, err)
	for _, name := range all {
		if strings.HasPrefix(name, "org_") || hasOwnName(name) || strings.HasPrefix(name, "swept_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func tidied(t *testing.T, c *Cluster, long time.Duration, want int) {
	t.Helper()
	n, err := c.tidy(t.Context(), long)
	if err != nil || n != want {
		t.Fatalf("%d collections were removed, want %d (%v)", n, want, err)
	}
}

// settled is a new organization with a document.
func settled(t *testing.T, c *Cluster, slug string, isolation app.Isolation) app.Namespace {
	t.Helper()
	ns := app.Namespace{Organization: app.NewID[app.OrganizationID]()}
	var err error
	ns.Placement, err = c.Locate(ns.Organization, slug, isolation)
	must(t, err)
	must(t, c.Provision(t.Context(), ns))
	must(t, c.InsertDocument(t.Context(), ns, document("d", `{}`)))
	return ns
}

// What organizations leave that are deleted or move away is removed when it was
// there for long, a database of their own with it; nothing of the others is.
func TestWhatIsLeftIsRemovedAfterAWhile(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		database := s.Database(t)
		c := openTestCluster(t, s, database)
		defer func() { _ = c.Close() }()
		stays := []app.Namespace{settled(t, c, "stays", app.IsolationCollection), settled(t, c, "stays-apart", app.IsolationDatabase), settled(t, c, "stays-shared", app.IsolationShared)}
		t.Cleanup(func() { _ = s.Client().Database(stays[1].Placement.Database).Drop(context.Background()) })
		acme, apart, shared := settled(t, c, "acme", app.IsolationCollection), settled(t, c, "apart", app.IsolationDatabase), settled(t, c, "shared", app.IsolationShared)
		for _, ns := range []app.Namespace{acme, apart, shared} {
			must(t, c.Drop(t.Context(), ns))
		}
		// Of whoever has ended while dropping, before the name was taken.
		must(t, s.Client().Database(database).RunCommand(t.Context(), bson.D{{Key: "create", Value: "stand_5f0000000000000000000000"}, {Key: "validator", Value: refusing}}).Err())
		if got := standing(t, s, database); !slices.Equal(got, []string{"org_acme", "org_stays", "stand_5f0000000000000000000000"}) {
			t.Fatalf("there are %v: the test tests nothing", got)
		}

		tidied(t, c, time.Hour, 0)
		if got := len(standing(t, s, database)); got != 3 {
			t.Fatalf("there are %d after a first look", got)
		}
		tidied(t, c, 0, 3)
		if got := standing(t, s, database); !slices.Equal(got, []string{"org_stays"}) {
			t.Fatalf("there are %v", got)
		}
		databases, err := s.Client().ListDatabaseNames(t.Context(), bson.D{{Key: "name", Value: bson.Regex{Pattern: "^" + c.databaseOf("")}}})
		if err != nil || !slices.Equal(databases, []string{stays[1].Placement.Database}) {
			t.Errorf("there are the databases %v (%v)", databases, err)
		}
		tidied(t, c, 0, 0)
		for _, ns := range stays {
			must(t, c.InsertDocument(t.Context(), ns, document("e", `{}`)))
			if got := ids(t, c, ns); got != "d e " {
				t.Errorf("%s has %s", ns.Placement.Isolation, got)
			}
		}
		if list, err := c.Namespaces(t.Context()); err != nil || len(list) != 3 {
			t.Errorf("there are %d namespaces (%v)", len(list), err)
		}
		if got := ids(t, c, settled(t, c, "acme", app.IsolationCollection)); got != "d " {
			t.Errorf("who comes next has %s", got)
		}
	})
}

// Names that organizations were renamed to and from stay taken, whoever had them
// since: a late rename would find them free.
func TestWhatRenamesHaveLeftStays(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		database := s.Database(t)
		c := openTestCluster(t, s, database)
		defer func() { _ = c.Close() }()
		acme := settled(t, c, "acme", app.IsolationCollection)
		must(t, c.Rename(t.Context(), acme, "org_bolt", 2))
		next := settled(t, c, "acme", app.IsolationCollection)
		must(t, c.Drop(t.Context(), next))
		must(t, c.Drop(t.Context(), at(acme, 2)))
		tidied(t, c, 0, 0)
		tidied(t, c, 0, 0)
		if got := standing(t, s, database); !slices.Equal(got, []string{"org_acme", "org_bolt"}) {
			t.Errorf("there are %v", got)
		}
	})
}

// A server that is stopped while it removes what was left, and wakes when the
// name is an organization's again, does it no harm: neither one that is made
// there nor one that is renamed there.
func TestASweeperThatWakesLate(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		for name, stop := range map[string]func(*event.CommandStartedEvent) bool{
			"before it claims": func(e *event.CommandStartedEvent) bool {
				id, _ := e.Command.Lookup("documents", "0", "_id").StringValueOK()
				return strings.HasPrefix(id, claimPrefix)
			},
			"before it moves": func(e *event.CommandStartedEvent) bool {
				to, _ := e.Command.Lookup("to").StringValueOK()
				return strings.Contains(to, ".swept_")
			},
			"before it drops": func(e *event.CommandStartedEvent) bool {
				return e.CommandName == "drop" && strings.HasPrefix(e.Command.Lookup("drop").StringValue(), "swept_")
			},
			"before it lets go": func(e *event.CommandStartedEvent) bool {
				id, _ := e.Command.Lookup("deletes", "0", "q", "_id").StringValueOK()
				return strings.HasPrefix(id, claimPrefix)
			},
		} {
			for _, renamed := range []bool{false, true} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					database := s.Database(t)
					paused := stopAt(t, stop)
					monitor := paused.monitor()
					var late, moved atomic.Bool
					monitor.Succeeded = func(_ context.Context, e *event.CommandSucceededEvent) {
						if e.CommandName == "renameCollection" && late.Load() {
							moved.Store(true)
						}
					}
					a, err := OpenCluster(t.Context(), "default", Options{URL: s.URL(database) + "&timeoutMS=60000", Monitor: monitor})
					must(t, err)
					b := openTestCluster(t, s, database)
					defer func() { _, _ = a.Close(), b.Close() }()
					must(t, b.Drop(t.Context(), settled(t, b, "acme", app.IsolationCollection)))
					done := make(chan error, 1)
					go func() {
						_, err := a.tidy(context.Background(), 0)
						done <- err
					}()
					<-paused.stopped
					var next app.Namespace
					if renamed {
						next = settled(t, b, "bolt", app.IsolationCollection)
						must(t, b.Rename(t.Context(), next, "org_acme", 2))
					} else {
						next = settled(t, b, "acme", app.IsolationCollection)
					}
					late.Store(true)
					paused.goOn()
					if err := <-done; err != nil && !errors.Is(err, app.ErrConflict) {
						t.Errorf("the late one says %v", err)
					}
					if moved.Load() {
						t.Error("it has moved what was somebody's by then")
					}
					must(t, b.InsertDocument(t.Context(), next, document("e", `{}`)))
					if got := ids(t, b, next); got != "d e " {
						t.Fatalf("the next has %s", got)
					}
					d, err := b.resolve(t.Context(), keyIn(next))
					must(t, err)
					if there, err := b.look(t.Context(), d, "org_acme"); err != nil || there.org != string(next.Organization) {
						t.Errorf("in its place stands %+v (%v)", there, err)
					}
				})
			}
		}
	})
}

// A server that ends while it removes what was left leaves a name that can be
// had at once, and nothing that others do not remove.
func TestASweeperThatDies(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		for _, taken := range []bool{true, false} {
			for n := int64(1); ; n++ {
				database := s.Database(t)
				a, arm, died := dying(t, s, database, n)
				b := openTestCluster(t, s, database)
				must(t, b.Drop(t.Context(), settled(t, b, "acme", app.IsolationCollection)))
				arm(true)
				_ = quietly(func() error { _, err := a.tidy(context.Background(), 0); return err })
				arm(false)
				if taken {
					if got := ids(t, b, settled(t, b, "acme", app.IsolationCollection)); got != "d " {
						t.Fatalf("after command %d: %s", n, got)
					}
				} else {
					for range 2 { // claims of the dead, and what they were about
						_, err := b.tidy(t.Context(), 0)
						must(t, err)
					}
					if got := standing(t, s, database); slices.Contains(got, "org_acme") {
						t.Fatalf("after command %d there are %v", n, got)
					}
				}
				_ = b.Close()
				if !died() {
					if n < 8 {
						t.Fatalf("it takes only %d commands: the test sees none", n)
					}
					break
				}
			}
		}
	})
}

// A server that was stopped for as long as what was left is kept, or on a machine
// that slept, writes nowhere when it wakes by what it remembers; nor does who
// fills a place that is being moved to.
func TestAServerThatSleptForLong(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		for name, ago := range map[string]func(time.Time) time.Time{
			"stopped":                 func(now time.Time) time.Time { return now.Add(-keepLeft) },
			"on a machine that slept": func(now time.Time) time.Time { return now.Round(0).Add(-keepLeft) },
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				database := s.Database(t)
				a, b := openTestCluster(t, s, database), openTestCluster(t, s, database)
				defer func() { _, _ = a.Close(), b.Close() }()
				acme := settled(t, a, "acme", app.IsolationCollection)
				filled := app.Namespace{Organization: app.NewID[app.OrganizationID]()}
				var err error
				filled.Placement, err = a.Locate(filled.Organization, "filled", app.IsolationCollection)
				must(t, err)
				must(t, a.Receive(t.Context(), filled))
				must(t, a.Import(t.Context(), filled, []app.Document{document("d", `{}`)}, nil))
				for _, ns := range []app.Namespace{acme, filled} {
					must(t, b.Drop(t.Context(), ns))
					remembered, is := a.names.get(keyIn(ns))
					if !is {
						t.Fatal("nothing is remembered: the test tests nothing")
					}
					remembered.read = ago(time.Now())
					a.names.m[keyIn(ns)] = remembered
				}
				tidied(t, b, 0, 2)
				if err := a.InsertDocument(t.Context(), acme, document("e", `{}`)); !errors.Is(err, app.ErrNotFound) {
					t.Errorf("it writes: %v", err)
				}
				if err := a.Import(t.Context(), filled, []app.Document{document("e", `{}`)}, nil); !errors.Is(err, app.ErrNotFound) {
					t.Errorf("it fills: %v", err)
				}
				if got := standing(t, s, database); len(got) > 0 {
					t.Errorf("it has made %v", got)
				}
			})
		}
	})
}
