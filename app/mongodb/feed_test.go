package mongodb

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// hearer collects what a registry announces.
type hearer struct {
	mu   sync.Mutex
	list []app.Invalidation
}

func (h *hearer) add(i app.Invalidation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, i)
}

func (h *hearer) heard(about func(app.Invalidation) bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.list, about)
}

func (h *hearer) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = nil
}

// eventually waits for a condition, for longer than any machine needs.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	within(t, 20*time.Second, what, condition)
}

func within(t *testing.T, patience time.Duration, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// after waits until a registry knows everything up to now.
func after(t *testing.T, r *Registry) {
	t.Helper()
	now := int64(time.Since(r.feed.start))
	eventually(t, "the feed is read", func() bool { return r.feed.heard.Load() > now })
}

func TestWhatOthersChangeIsHeard(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		database := s.Database(t)
		a, b := openTestRegistry(t, s, database), openTestRegistry(t, s, database)
		defer func() { _, _ = a.Close(), b.Close() }()
		ctx := t.Context()
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		op, c := creation("acme")
		check(b.BeginCreate(ctx, op, c))
		_, err := b.FinishCreate(ctx, op, app.Now())
		check(err)
		org, user := c.Organization.ID, c.Owner.ID
		session := app.Session{ID: app.NewID[app.SessionID](), UserID: user, OrganizationID: org, RefreshHash: []byte("h"),
			CreatedAt: app.Now(), LastUsedAt: app.Now(), ExpiresAt: app.Now().Add(time.Hour)}
		account, err := b.Account(ctx, app.AccountQuery{EmailKey: c.Owner.EmailKey, Limit: 1})
		check(err)
		check(b.CreateSession(ctx, session, account.Places[0].Proof))
		key := app.OperatorKey{ID: app.NewID[app.OperatorKeyID](), Name: "key", Hash: []byte("k"), CreatedAt: app.Now()}
		check(b.CreateOperatorKey(ctx, key))
		after(t, a)

		var h hearer
		a.Subscribe(h.add)
		suspended, hash := app.StateSuspended, "new"
		remove := app.Operation{ID: app.NewID[app.OperationID](), Kind: app.OperationDelete, OrganizationID: org,
			State: app.OperationRunning, Placement: c.Organization.Placement, CreatedAt: app.Now(), UpdatedAt: app.Now()}
		for _, step := range []struct {
			name  string
			do    func() error
			about func(app.Invalidation) bool
		}{
			{"a session that ends", func() error { return b.DeleteSession(ctx, session.ID) },
				func(i app.Invalidation) bool { return i.Session == session.ID }},
			{"a suspension", func() error {
				_, err := b.ChangeOrganization(ctx, app.OrganizationChange{OrganizationID: org, State: &suspended, At: app.Now()})
				return err
			}, func(i app.Invalidation) bool { return i.Organization == org }},
			{"a password", func() error {
				_, err := b.ChangeOrganization(ctx, app.OrganizationChange{OrganizationID: org, At: app.Now(),
					User: &app.CredentialChange{UserID: user, PasswordHash: &hash}})
				return err
			}, func(i app.Invalidation) bool { return i.User == user }},
			{"a revoked key", func() error { _, err := b.RevokeOperatorKey(ctx, key.ID, app.Now()); return err },
				func(i app.Invalidation) bool { return i.OperatorKey == key.ID }},
			{"an added cluster", func() error {
				return b.AddCluster(ctx, app.AddedCluster{Name: "eu", Revision: 1, CreatedAt: app.Now()})
			},
				func(i app.Invalidation) bool { return i.Clusters }},
			{"a changed cluster", func() error { return b.ReplaceCluster(ctx, app.AddedCluster{Name: "eu", Revision: 1, Closing: true}) },
				func(i app.Invalidation) bool { return i.Clusters }},
			{"a removed cluster", func() error { return b.RemoveCluster(ctx, "eu") },
				func(i app.Invalidation) bool { return i.Clusters }},
			{"a deletion", func() error { return b.BeginDelete(ctx, remove, app.AnyRevision) },
				func(i app.Invalidation) bool { return i.Organization == org }},
			{"a membership that goes", func() error { return b.FinishDelete(ctx, remove, app.Now()) },
				func(i app.Invalidation) bool { return i.Organization == org && i.User == user }},
		} {
			h.forget()
			check(step.do())
			// Not "some time": as soon as it says that it knows what was until now.
			after(t, a)
			if !h.heard(step.about) {
				t.Fatalf("%s was not heard of although everything until then was said to be known; heard %+v", step.name, h.list)
			}
		}
	})
}

func TestWhoHearsNothingTrustsNothing(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		database := s.Database(t)
		armed := make(chan struct{})
		paused := stopAt(t, func(e *event.CommandStartedEvent) bool {
			select {
			case <-armed:
				return e.CommandName == "getMore" || into("find", events)(e)
			default:
				return false
			}
		})
		a, err := OpenRegistry(t.Context(), Options{URL: s.URL(database), Lease: 300 * time.Millisecond, Monitor: paused.monitor()})
		if err != nil {
			t.Fatal(err)
		}
		b := openTestRegistry(t, s, database)
		defer func() { _, _ = a.Close(), b.Close() }()
		defer paused.goOn()
		eventually(t, "it trusts", a.Trusted)
		close(armed)
		<-paused.stopped
		eventually(t, "it trusts nothing", func() bool { return !a.Trusted() })
		var h hearer
		a.Subscribe(h.add)
		op, c := creation("acme")
		if err := b.BeginCreate(context.Background(), op, c); err != nil {
			t.Fatal(err)
		}
		if _, err := b.FinishCreate(context.Background(), op, app.Now()); err != nil {
			t.Fatal(err)
		}
		if a.Trusted() {
			t.Fatal("it trusts while it hears nothing")
		}
		paused.goOn()
		eventually(t, "it trusts again", a.Trusted)
		if !h.heard(func(i app.Invalidation) bool { return i.Organization == c.Organization.ID || i.Everything }) {
			t.Fatal("it trusts again before it heard what it had missed")
		}
	})
}

// With its database the server ends the stream, after a few more events. It is
// opened again.
func TestTheFeedOutlivesItsDatabase(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		database := s.Database(t)
		r := openTestRegistry(t, s, database)
		defer func() { _ = r.Close() }()
		after(t, r)
		if err := s.Client().Database(database).Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			after(t, r)
		}
	})
}
