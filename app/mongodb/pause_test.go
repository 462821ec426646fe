package mongodb

import (
	"context"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/event"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// stopper stops a connection before it sends the first command that it is about,
// as if the whole process had been stopped, until it is let go.
type stopper struct {
	at      func(*event.CommandStartedEvent) bool
	once    sync.Once
	stopped chan struct{}
	letGo   chan struct{}
	goOn    func()
}

func stopAt(t *testing.T, at func(*event.CommandStartedEvent) bool) *stopper {
	s := &stopper{at: at, stopped: make(chan struct{}), letGo: make(chan struct{})}
	s.goOn = sync.OnceFunc(func() { close(s.letGo) })
	t.Cleanup(s.goOn)
	return s
}

func (s *stopper) monitor() *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		if s.at(e) {
			s.once.Do(func() {
				close(s.stopped)
				<-s.letGo
			})
		}
	}}
}

// into is about a command on a collection.
func into(command, collection string) func(*event.CommandStartedEvent) bool {
	return func(e *event.CommandStartedEvent) bool {
		return e.CommandName == command && e.Command.Lookup(command).StringValue() == collection
	}
}

func creation(slug string) (app.Operation, app.Creation) {
	at := app.Now()
	org := app.Organization{ID: app.NewID[app.OrganizationID](), Name: slug, NameKey: slug, Slug: slug, ExternalID: "ext-" + slug,
		State: app.StateCreating, Revision: 1, CreatedAt: at, UpdatedAt: at,
		Placement: app.Placement{Cluster: "default", Isolation: app.IsolationCollection, Database: "d", Collection: app.CollectionName(slug), Generation: 1}}
	user := app.User{ID: app.NewID[app.UserID](), Email: slug + "@x", EmailKey: slug + "@x", PasswordHash: "hash", Revision: 1, CreatedAt: at, UpdatedAt: at}
	org.OwnerID = user.ID
	op := app.Operation{ID: app.NewID[app.OperationID](), Kind: app.OperationCreate, OrganizationID: org.ID, State: app.OperationRunning,
		Placement: org.Placement, CreatedAt: at, UpdatedAt: at}
	return op, app.Creation{Organization: org, Owner: &user, Membership: app.Membership{
		OrganizationID: org.ID, UserID: user.ID, Role: app.RoleOwner, CreatedAt: at}}
}

// living counts the documents of a registry that are not marks.
func living(t *testing.T, r *Registry) int64 {
	t.Helper()
	var sum int64
	for _, collection := range versioned {
		n, err := r.db.Collection(collection).CountDocuments(t.Context(), append(byID("x")[:0], present))
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// A holder of the lock that is stopped after its commit is finished by the next
// one. What it still sends when it goes on brings nothing back that was removed
// meanwhile, with or without its mark.
func TestPausedHolderBringsNothingBack(t *testing.T) {
	t.Parallel()
	s := mongotest.Shared(t, mongotest.Standalone)
	for name, swept := range map[string]bool{"marked": false, "swept": true} {
		for _, collection := range []string{claims, organizations, users, memberships, operations} {
			t.Run(name+"/"+collection, func(t *testing.T) {
				t.Parallel()
				database := s.Database(t)
				paused := stopAt(t, into("insert", collection))
				a, err := OpenRegistry(t.Context(), Options{URL: s.URL(database), Monitor: paused.monitor()})
				if err != nil {
					t.Fatal(err)
				}
				b := openTestRegistry(t, s, database)
				defer func() { _, _ = a.Close(), b.Close() }()
				op, c := creation("acme")
				answer := make(chan error, 1)
				go func() { answer <- a.BeginCreate(context.Background(), op, c) }()
				<-paused.stopped

				if err := b.AbandonCreate(t.Context(), op, "its server stopped", app.Now()); err != nil {
					t.Fatalf("the next holder did not finish what was committed: %v", err)
				}
				if swept {
					if err := b.sweep(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				paused.goOn()
				// Whether it is told of an organization that was there for a moment is all one.
				if err := <-answer; err != nil {
					t.Log(err)
				}
				if n := living(t, b); n != 1 { // the operation, which failed
					t.Fatalf("%d documents live after all was removed", n)
				}
				op2, c2 := creation("acme")
				if err := b.BeginCreate(t.Context(), op2, c2); err != nil {
					t.Fatalf("the name is not free: %v", err)
				}
				if _, err := b.FinishCreate(t.Context(), op2, app.Now()); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// A holder that is stopped before its commit, and whose lock was taken
// meanwhile, commits nothing of what it had read before; it reads again.
func TestPausedHolderCommitsNothingStale(t *testing.T) {
	t.Parallel()
	s := mongotest.Shared(t, mongotest.Standalone)
	database := s.Database(t)
	b := openTestRegistry(t, s, database)
	op, c := creation("acme")
	if err := b.BeginCreate(t.Context(), op, c); err != nil {
		t.Fatal(err)
	}
	if _, err := b.FinishCreate(t.Context(), op, app.Now()); err != nil {
		t.Fatal(err)
	}
	paused := stopAt(t, func(e *event.CommandStartedEvent) bool {
		_, err := e.Command.LookupErr("updates", "0", "u", "$set", "redo")
		return err == nil
	})
	a, err := OpenRegistry(t.Context(), Options{URL: s.URL(database), Monitor: paused.monitor()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = a.Close(), b.Close() }()
	name := "from A"
	answer := make(chan error, 1)
	go func() {
		_, err := a.ChangeOrganization(context.Background(), app.OrganizationChange{OrganizationID: c.Organization.ID, Name: &name, At: app.Now()})
		answer <- err
	}()
	<-paused.stopped
	external := "from B"
	if _, err := b.ChangeOrganization(t.Context(), app.OrganizationChange{OrganizationID: c.Organization.ID, ExternalID: &external, At: app.Now()}); err != nil {
		t.Fatal(err)
	}
	paused.goOn()
	if err := <-answer; err != nil {
		t.Fatal(err)
	}
	o, err := b.Organization(t.Context(), c.Organization.ID)
	if err != nil || o.Name != name || o.ExternalID != external || o.Revision != 3 {
		t.Fatalf("a change was lost: %+v (%v)", o, err)
	}
}
