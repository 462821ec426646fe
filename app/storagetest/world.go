package storagetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"tenantry/app"
)

// world is a registry with people in it.
type world struct {
	app.Registry
	t         *testing.T
	ctx       context.Context
	ticks     atomic.Int64
	neighbour tenant
}

// tenant is an organization, its owner and a sign-in.
type tenant struct {
	org        app.Organization
	owner      app.User
	membership app.Membership
	session    app.Session
}

func newWorld(t *testing.T, r app.Registry) *world {
	return &world{Registry: r, t: t, ctx: context.Background()}
}

var beginning = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)

// now is a clock that is never the same twice, in the resolution the ports
// promise.
func (w *world) now() time.Time {
	return beginning.Add(time.Duration(w.ticks.Add(1)) * time.Millisecond)
}

// creation is everything of a new organization, with every field set. The
// fields that must be unique all carry the slug.
func (w *world) creation(slug string) app.Creation {
	at := w.now()
	owner := app.User{
		ID: app.NewID[app.UserID](), Email: "Owner@" + slug + ".Example", EmailKey: "owner@" + slug + ".example",
		Name: "Owner of " + slug, PasswordHash: "$2a$04$hash-of-" + slug, Revision: 1, CreatedAt: at, UpdatedAt: at,
	}
	org := app.Organization{
		ID: app.NewID[app.OrganizationID](), Name: "The " + slug + " Co.", NameKey: "the " + slug + " co.",
		Slug: slug, ExternalID: "ext-" + slug, Metadata: map[string]string{"plan": "pro", "Näme": "ünï\n" + slug, "empty": ""},
		State: app.StateCreating,
		Placement: app.Placement{Cluster: "default", Isolation: app.IsolationCollection, Database: "shard-00",
			Collection: app.CollectionName(slug), Generation: 1},
		OwnerID: owner.ID, Revision: 1, CreatedAt: at, UpdatedAt: at,
	}
	return app.Creation{Organization: org, Owner: &owner, Membership: app.Membership{
		OrganizationID: org.ID, UserID: owner.ID, Role: app.RoleOwner, CreatedAt: at,
	}}
}

// operation is a new operation on an organization.
func (w *world) operation(kind app.OperationKind, org app.Organization) app.Operation {
	at := w.now()
	op := app.Operation{
		ID: app.NewID[app.OperationID](), Kind: kind, OrganizationID: org.ID, State: app.OperationRunning,
		Step: "first", Placement: org.Placement, CreatedAt: at, UpdatedAt: at,
	}
	if kind == app.OperationDelete {
		op.Before = org.State
	}
	return op
}

// relocation is a new relocation of an organization to another cluster, with
// every field set.
func (w *world) relocation(org app.Organization) app.Operation {
	op := w.operation(app.OperationRelocate, org)
	target := org.Placement
	target.Cluster, target.Isolation, target.Database, target.Generation = "other", app.IsolationShared, "shard-07", 2
	target.Collection = app.SharedCollection
	op.Relocation = &app.Relocation{
		Source: org.Placement, Target: target, Drain: "a-drain", Phase: app.RelocationCopying, Generation: org.Placement.Generation + 1,
		CopiedTo: "doc-1", VerifiedTo: "doc-0", Total: app.NamespaceStats{Documents: 7, Bytes: 70},
		Copied: app.NamespaceStats{Documents: 6, Bytes: 60}, CaughtUp: app.NamespaceStats{Documents: 5, Bytes: 50},
		Verified: app.NamespaceStats{Documents: 4, Bytes: 40}, Cutovers: 3, Held: time.Millisecond,
		Differences: []app.DocumentID{"a", "b"}, PhaseAt: w.now(), SwitchedAt: w.now(),
	}
	return op
}

// beginRelocation begins one.
func (w *world) beginRelocation(org app.Organization) app.Operation {
	w.t.Helper()
	op := w.relocation(org)
	must(w.t, w.BeginRelocation(w.ctx, op))
	return op
}

// flipped is op with the organization at the target.
func flipped(op app.Operation) app.Operation {
	r := *op.Relocation
	r.Flips++
	r.Phase = app.RelocationSwitched
	op.Relocation = &r
	return op
}

// begin begins to create.
func (w *world) begin(c app.Creation) app.Operation {
	w.t.Helper()
	op := w.operation(app.OperationCreate, c.Organization)
	must(w.t, w.BeginCreate(w.ctx, op, c))
	return op
}

// create creates a whole organization.
func (w *world) create(c app.Creation) app.Organization {
	w.t.Helper()
	org, err := w.FinishCreate(w.ctx, w.begin(c), w.now())
	must(w.t, err)
	return org
}

// tenant creates an organization and signs its owner in.
func (w *world) tenant(slug string) tenant {
	w.t.Helper()
	c := w.creation(slug)
	out := tenant{org: w.create(c), owner: *c.Owner, membership: c.Membership}
	out.session = w.signIn(out.org, out.owner)
	return out
}

// signIn makes a session.
func (w *world) signIn(org app.Organization, user app.User) app.Session {
	w.t.Helper()
	s := w.newSession(org.ID, user.ID)
	must(w.t, w.CreateSession(w.ctx, s, w.proof(org.ID, user)))
	return s
}

// proof is what a sign-in to the organization rests on now, if the user can
// sign in there, and otherwise what somebody may have kept.
func (w *world) proof(org app.OrganizationID, user app.User) app.Proof {
	w.t.Helper()
	a, err := w.Account(w.ctx, app.AccountQuery{EmailKey: user.EmailKey, Organization: string(org), Limit: 1})
	if errors.Is(err, app.ErrNotFound) || err == nil && len(a.Places) == 0 {
		return app.Proof{PasswordHash: user.PasswordHash}
	}
	must(w.t, err)
	return a.Places[0].Proof
}

// newSession is a session that is not recorded yet.
func (w *world) newSession(org app.OrganizationID, user app.UserID) app.Session {
	at := w.now()
	id := app.NewID[app.SessionID]()
	return app.Session{
		ID: id, UserID: user, OrganizationID: org, RefreshHash: hashOf(string(id)),
		CreatedAt: at, LastUsedAt: at, ExpiresAt: at.Add(time.Hour),
	}
}

func hashOf(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

// organization, user and operation read what must be there.
func (w *world) organization(id app.OrganizationID) app.Organization {
	w.t.Helper()
	org, err := w.Organization(w.ctx, id)
	must(w.t, err)
	return org
}

func (w *world) user(id app.UserID) app.User {
	w.t.Helper()
	u, err := w.User(w.ctx, id)
	must(w.t, err)
	return u
}

func (w *world) recorded(id app.OperationID) app.Operation {
	w.t.Helper()
	op, err := w.Operation(w.ctx, id)
	must(w.t, err)
	return op
}

// ended checks how an operation ended, and that nothing is left open.
func (w *world) ended(id app.OperationID, state app.OperationState) {
	w.t.Helper()
	equal(w.t, "state of the operation", w.recorded(id).State, state)
	open, err := w.OpenOperations(w.ctx, w.now())
	must(w.t, err)
	for _, op := range open {
		if op.ID == id {
			w.t.Fatalf("an operation that is %s is listed as open", state)
		}
	}
}

// neighbourIsUntouched checks that nothing a test did reached the neighbour.
func (w *world) neighbourIsUntouched() {
	n := w.neighbour
	equal(w.t, "the neighbour's organization", w.organization(n.org.ID), n.org)
	equal(w.t, "the neighbour's owner", w.user(n.owner.ID), n.owner)
	s, err := w.Session(w.ctx, n.session.ID)
	must(w.t, err)
	equal(w.t, "the neighbour's session", s.Session, n.session)
	m, err := w.Memberships(w.ctx, n.owner.ID)
	must(w.t, err)
	equal(w.t, "the neighbour's memberships", m, []app.Membership{n.membership})
}
