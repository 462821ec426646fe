package mongodb

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// closing is a registry with an organization in it whose owner is signed in,
// and what moves it.
type closing struct {
	url     string
	org     app.Organization
	session app.Session
	mover   *Registry
}

const closingLease = 100 * time.Millisecond

func newClosing(t *testing.T, s *mongotest.Server) *closing {
	t.Helper()
	c := &closing{url: s.URL(s.Database(t))}
	r := c.serve(t, nil)
	op, creation := creation("acme")
	must(t, r.BeginCreate(t.Context(), op, creation))
	var err error
	c.org, err = r.FinishCreate(t.Context(), op, app.Now())
	must(t, err)
	c.session = app.Session{ID: app.NewID[app.SessionID](), UserID: creation.Owner.ID, OrganizationID: c.org.ID, RefreshHash: []byte("h"),
		CreatedAt: app.Now(), LastUsedAt: app.Now(), ExpiresAt: app.Now().Add(time.Hour)}
	must(t, r.CreateSession(t.Context(), c.session, app.Proof{PasswordHash: "hash"}))
	must(t, r.AddCluster(t.Context(), app.AddedCluster{Name: "eu", Sealed: []byte("x"), Revision: 1, CreatedAt: app.Now()}))
	c.mover, err = OpenMovableRegistry(t.Context(), Options{URL: c.url, Lease: closingLease}, false)
	must(t, err)
	t.Cleanup(func() { _ = c.mover.Close() })
	return c
}

// serve opens the registry as a server does.
func (c *closing) serve(t *testing.T, monitor *event.CommandMonitor) *Registry {
	t.Helper()
	r, err := OpenRegistry(t.Context(), Options{URL: c.url, Lease: closingLease, Monitor: monitor})
	must(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func (c *closing) set(t *testing.T, state app.RegistryState) {
	t.Helper()
	must(t, c.mover.SetMark(t.Context(), app.RegistryMark{State: state, Migration: "m", Peer: "there", At: app.Now()}))
}

// refused checks that something was refused because the registry is closed.
func refused(t *testing.T, what string, err error) {
	t.Helper()
	var closed *app.ClosedRegistryError
	if !errors.As(err, &closed) || !errors.Is(err, app.ErrUnavailable) {
		t.Errorf("%s: %v", what, err)
	}
}

// A server that runs stops when its registry is closed, and goes on when it is
// opened again.
func TestAServerWhoseRegistryIsClosed(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		c := newClosing(t, s)
		a := c.serve(t, nil)
		eventually(t, "what was remembered can be relied on", a.Trusted)
		c.set(t, app.RegistryMoving)
		if a.Trusted() {
			t.Error("one lease after the registry was closed, what was remembered is relied on")
		}
		refused(t, "any call", a.Closed())
		name := "another"
		_, err := a.ChangeOrganization(t.Context(), app.OrganizationChange{OrganizationID: c.org.ID, Name: &name, At: app.Now()})
		refused(t, "a change", err)
		c.set(t, app.RegistryMoved)
		refused(t, "any call when it has moved", a.Closed())

		c.set(t, app.RegistryOpen)
		eventually(t, "the registry is open again", func() bool { return a.Closed() == nil && a.Trusted() })
		_, err = a.ChangeOrganization(t.Context(), app.OrganizationChange{OrganizationID: c.org.ID, Name: &name, At: app.Now()})
		must(t, err)
	})
}

// Whatever a server was about to write when it was stopped does not take effect
// when it goes on in a registry that has been closed meanwhile.
func TestAPausedServerWritesNothingToAClosedRegistry(t *testing.T) {
	name := "another"
	acts := map[string]func(c *closing, r *Registry) error{
		"a change": func(c *closing, r *Registry) error {
			_, err := r.ChangeOrganization(context.Background(), app.OrganizationChange{OrganizationID: c.org.ID, Name: &name, At: app.Now()})
			return err
		},
		"a creation": func(_ *closing, r *Registry) error {
			op, creation := creation("bolt")
			return r.BeginCreate(context.Background(), op, creation)
		},
		"a sign-in": func(c *closing, r *Registry) error {
			next := c.session
			next.ID = app.NewID[app.SessionID]()
			return r.CreateSession(context.Background(), next, app.Proof{PasswordHash: "hash"})
		},
		"a refresh": func(c *closing, r *Registry) error {
			return r.RotateSession(context.Background(), c.session.ID, []byte("h"), []byte("i"), app.Now(), app.Now().Add(time.Hour))
		},
		"a sign-out":               func(c *closing, r *Registry) error { return r.DeleteSession(context.Background(), c.session.ID) },
		"the removal of a cluster": func(_ *closing, r *Registry) error { return r.RemoveCluster(context.Background(), "eu") },
	}
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		for what, act := range acts {
			t.Run(what, func(t *testing.T) {
				t.Parallel()
				c := newClosing(t, s)
				// Armed when the server is there; it stops before its first command that
				// writes. Under the lock that is the commit: taking it waits for nobody.
				armed := make(chan struct{})
				paused := stopAt(t, func(e *event.CommandStartedEvent) bool {
					select {
					case <-armed:
					default:
						return false
					}
					switch e.CommandName {
					case "update", "insert", "bulkWrite", "delete":
						return true
					}
					return false
				})
				a := c.serve(t, paused.monitor())
				close(armed)
				answer := make(chan error, 1)
				go func() { answer <- act(c, a) }()
				<-paused.stopped
				c.set(t, app.RegistryMoving)
				before := entries(t, c.mover)
				paused.goOn()
				refused(t, what, <-answer)
				if after := entries(t, c.mover); after != before {
					t.Errorf("it took effect:\n%s\n%s", before, after)
				}
			})
		}
	})
}

// entries are all of a registry, as text.
func entries(t *testing.T, m app.MovableRegistry) (all string) {
	t.Helper()
	for _, noun := range app.RegistryNouns() {
		page, err := m.ExportEntries(t.Context(), noun, "", 1000)
		must(t, err)
		for _, e := range page.Entries {
			all += string(noun) + " " + e.Key + " " + string(e.Data) + "\n"
		}
	}
	return all
}
