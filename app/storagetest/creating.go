package storagetest

import (
	"fmt"
	"testing"

	"tenantry/app"
)

func creating(s registrySuite) {
	s.test("BeginCreate/RecordsOperationOwnerAndMembership", func(t *testing.T, w *world) {
		c := w.creation("acme")
		op := w.begin(c)
		equal(t, "operation", w.recorded(op.ID), op)
		equal(t, "owner", w.user(c.Owner.ID), *c.Owner)
		m, err := w.Membership(w.ctx, c.Organization.ID, c.Owner.ID)
		must(t, err)
		equal(t, "membership", m, c.Membership)
		open, err := w.OpenOperations(w.ctx, w.now())
		must(t, err)
		equal(t, "open operations", open, []app.Operation{op})
	})

	for field, clash := range map[app.ConflictField]func(c *app.Creation, n tenant){
		app.ConflictSlug:       func(c *app.Creation, n tenant) { c.Organization.Slug = n.org.Slug },
		app.ConflictExternalID: func(c *app.Creation, n tenant) { c.Organization.ExternalID = n.org.ExternalID },
		app.ConflictCollection: func(c *app.Creation, n tenant) {
			c.Organization.Placement.Collection = n.org.Placement.Collection
		},
		app.ConflictEmail: func(c *app.Creation, n tenant) { c.Owner.EmailKey = n.owner.EmailKey },
	} {
		s.test("BeginCreate/NamesWhatIsTaken_"+string(field), func(t *testing.T, w *world) {
			c := w.creation("acme")
			clash(&c, w.neighbour)
			op := w.operation(app.OperationCreate, c.Organization)
			taken(t, w.BeginCreate(w.ctx, op, c), field)
			w.nothingOf(c, op)
			w.create(w.creation("acme")) // and everything else it asked for is free
		})
	}

	s.test("BeginCreate/CaseDistinctIsNotTaken", func(t *testing.T, w *world) {
		c := w.creation("acme")
		c.Organization.ExternalID = "EXT-neighbour"
		w.create(c)
	})

	s.test("BeginCreate/WhatIsBeingCreatedIsTaken", func(t *testing.T, w *world) {
		w.begin(w.creation("acme"))
		c := w.creation("bolt")
		c.Organization.Slug = "acme"
		taken(t, w.BeginCreate(w.ctx, w.operation(app.OperationCreate, c.Organization), c), app.ConflictSlug)
	})

	s.test("BeginCreate/ConcurrentTakersOneWins", func(t *testing.T, w *world) {
		const n = 16
		creations, operations := make([]app.Creation, n), make([]app.Operation, n)
		for i := range n {
			creations[i] = w.creation(fmt.Sprintf("org-%d", i))
			creations[i].Organization.Slug = "acme"
			operations[i] = w.operation(app.OperationCreate, creations[i].Organization)
		}
		winner := oneWinner(t, race(n, func(i int) error {
			return w.BeginCreate(w.ctx, operations[i], creations[i])
		}), app.ErrConflict)
		for i := range n {
			if i != winner {
				w.nothingOf(creations[i], operations[i])
			}
		}
		org, err := w.OrganizationBySlug(w.ctx, "acme")
		must(t, err)
		equal(t, "organization", org, creations[winner].Organization)
	})

	s.test("BeginCreate/AnExistingUserBecomesOwner", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		c := w.creation("second")
		c.Owner = nil
		c.Organization.OwnerID, c.Membership.UserID = acme.owner.ID, acme.owner.ID
		w.create(c)
		got, err := w.Memberships(w.ctx, acme.owner.ID)
		must(t, err)
		equal(t, "memberships", got, []app.Membership{acme.membership, c.Membership})
		equal(t, "user", w.user(acme.owner.ID), acme.owner)
	})

	s.test("BeginCreate/AnUnknownUserIsNotFound", func(t *testing.T, w *world) {
		c := w.creation("acme")
		c.Owner = nil
		op := w.operation(app.OperationCreate, c.Organization)
		is(t, w.BeginCreate(w.ctx, op, c), app.ErrNotFound)
		w.nothingOf(c, op)
	})

	s.test("FinishCreate/CompletesTheOperation", func(t *testing.T, w *world) {
		c := w.creation("acme")
		op := w.begin(c)
		org, err := w.FinishCreate(w.ctx, op, w.now())
		must(t, err)
		equal(t, "state", org.State, app.StateActive)
		w.ended(op.ID, app.OperationCompleted)
	})

	s.test("FinishCreate/TwiceChangesNothing", func(t *testing.T, w *world) {
		c := w.creation("acme")
		op := w.begin(c)
		org, err := w.FinishCreate(w.ctx, op, w.now())
		must(t, err)
		_, _ = w.FinishCreate(w.ctx, op, w.now()) // refused or not
		equal(t, "organization", w.organization(org.ID), org)
		w.ended(op.ID, app.OperationCompleted)
	})

	s.test("FinishCreate/AfterAbandonMakesNothing", func(t *testing.T, w *world) {
		c := w.creation("acme")
		op := w.begin(c)
		must(t, w.AbandonCreate(w.ctx, op, "no room", w.now()))
		if _, err := w.FinishCreate(w.ctx, op, w.now()); err == nil {
			t.Fatal("an abandoned creation was finished")
		}
		_, err := w.Organization(w.ctx, c.Organization.ID)
		is(t, err, app.ErrNotFound)
		w.ended(op.ID, app.OperationFailed)
	})

	abandoning(s)
}

// nothingOf checks that nothing of a refused creation is there.
func (w *world) nothingOf(c app.Creation, op app.Operation) {
	w.t.Helper()
	_, err := w.Organization(w.ctx, c.Organization.ID)
	is(w.t, err, app.ErrNotFound)
	_, err = w.Membership(w.ctx, c.Membership.OrganizationID, c.Membership.UserID)
	is(w.t, err, app.ErrNotFound)
	if c.Owner != nil {
		_, err = w.User(w.ctx, c.Owner.ID)
		is(w.t, err, app.ErrNotFound)
	}
	_, err = w.Operation(w.ctx, op.ID)
	is(w.t, err, app.ErrNotFound)
}
