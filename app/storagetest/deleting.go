package storagetest

import (
	"errors"
	"testing"

	"tenantry/app"
)

func deleting(s registrySuite) {
	s.test("BeginDelete/HidesAndEndsSessions", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.operation(app.OperationDelete, acme.org)
		must(t, w.BeginDelete(w.ctx, op, acme.org.Revision))
		equal(t, "state", w.organization(acme.org.ID).State, app.StateDeleting)
		equal(t, "operation", w.recorded(op.ID), op)
		_, err := w.Session(w.ctx, acme.session.ID)
		is(t, err, app.ErrNotFound)
		list, err := w.Memberships(w.ctx, acme.owner.ID)
		must(t, err)
		equal(t, "memberships in visible organizations", len(list), 0)
	})

	s.test("BeginDelete/EndsOnlyItsOwnSessions", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		c := w.creation("second")
		c.Owner = nil
		c.Organization.OwnerID, c.Membership.UserID = acme.owner.ID, acme.owner.ID
		elsewhere := w.signIn(w.create(c), acme.owner)
		must(t, w.BeginDelete(w.ctx, w.operation(app.OperationDelete, acme.org), app.AnyRevision))
		got, err := w.Session(w.ctx, elsewhere.ID)
		must(t, err)
		equal(t, "session elsewhere", got.Session, elsewhere)
	})

	s.test("BeginDelete/NamesStayTaken", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		must(t, w.BeginDelete(w.ctx, w.operation(app.OperationDelete, acme.org), app.AnyRevision))
		c := w.creation("bolt")
		c.Organization.Slug = "acme"
		taken(t, w.BeginCreate(w.ctx, w.operation(app.OperationCreate, c.Organization), c), app.ConflictSlug)
		c = w.creation("bolt")
		c.Owner.EmailKey = acme.owner.EmailKey
		taken(t, w.BeginCreate(w.ctx, w.operation(app.OperationCreate, c.Organization), c), app.ConflictEmail)
	})

	s.test("BeginDelete/StaleAppliesNothing", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.operation(app.OperationDelete, acme.org)
		is(t, w.BeginDelete(w.ctx, op, acme.org.Revision+1), app.ErrStale)
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
		_, err := w.Operation(w.ctx, op.ID)
		is(t, err, app.ErrNotFound)
		_, err = w.Session(w.ctx, acme.session.ID)
		must(t, err)
	})

	s.test("BeginDelete/UnknownIsNotFound", func(t *testing.T, w *world) {
		unknown := w.creation("unknown").Organization
		is(t, w.BeginDelete(w.ctx, w.operation(app.OperationDelete, unknown), app.AnyRevision), app.ErrNotFound)
	})

	s.test("BeginDelete/BeingCreatedIsRefused", func(t *testing.T, w *world) {
		c := w.creation("acme")
		w.begin(c)
		err := w.BeginDelete(w.ctx, w.operation(app.OperationDelete, c.Organization), app.AnyRevision)
		if !errors.Is(err, app.ErrNotFound) && !errors.Is(err, app.ErrConflict) {
			t.Fatalf("got %v, want %v or %v", err, app.ErrNotFound, app.ErrConflict)
		}
		equal(t, "organization", w.organization(c.Organization.ID), c.Organization)
	})

	s.test("BeginDelete/ASuspendedOneCanBeDeleted", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{
			OrganizationID: acme.org.ID, State: ptr(app.StateSuspended), At: w.now()})
		must(t, err)
		op := w.operation(app.OperationDelete, acme.org)
		must(t, w.BeginDelete(w.ctx, op, app.AnyRevision))
		must(t, w.FinishDelete(w.ctx, op, w.now()))
	})

	s.test("BeginDelete/ConcurrentDeletersOneWins", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		ops := make([]app.Operation, 16)
		for i := range ops {
			ops[i] = w.operation(app.OperationDelete, acme.org)
		}
		winner := oneWinner(t, race(len(ops), func(i int) error {
			return w.BeginDelete(w.ctx, ops[i], app.AnyRevision)
		}), app.ErrNotFound, app.ErrConflict)
		open, err := w.OpenOperations(w.ctx, w.now())
		must(t, err)
		equal(t, "open operations", open, []app.Operation{ops[winner]})
	})

	s.test("FinishDelete/RemovesEverything", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.operation(app.OperationDelete, acme.org)
		must(t, w.BeginDelete(w.ctx, op, app.AnyRevision))
		must(t, w.FinishDelete(w.ctx, op, w.now()))
		_, err := w.Organization(w.ctx, acme.org.ID)
		is(t, err, app.ErrNotFound)
		_, err = w.OrganizationBySlug(w.ctx, "acme")
		is(t, err, app.ErrNotFound)
		_, err = w.User(w.ctx, acme.owner.ID)
		is(t, err, app.ErrNotFound)
		_, err = w.UserByEmail(w.ctx, acme.owner.EmailKey)
		is(t, err, app.ErrNotFound)
		_, err = w.Membership(w.ctx, acme.org.ID, acme.owner.ID)
		is(t, err, app.ErrNotFound)
		w.ended(op.ID, app.OperationCompleted)
	})

	s.test("FinishDelete/LeavesWhoIsMemberElsewhere", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		c := w.creation("second")
		c.Owner = nil
		c.Organization.OwnerID, c.Membership.UserID = acme.owner.ID, acme.owner.ID
		w.begin(c) // also of one that is still being created
		op := w.operation(app.OperationDelete, acme.org)
		must(t, w.BeginDelete(w.ctx, op, app.AnyRevision))
		must(t, w.FinishDelete(w.ctx, op, w.now()))
		equal(t, "user", w.user(acme.owner.ID), acme.owner)
		m, err := w.Membership(w.ctx, c.Organization.ID, acme.owner.ID)
		must(t, err)
		equal(t, "membership", m, c.Membership)
	})

	s.test("FinishDelete/TwiceHarmsNobody", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.operation(app.OperationDelete, acme.org)
		must(t, w.BeginDelete(w.ctx, op, app.AnyRevision))
		must(t, w.FinishDelete(w.ctx, op, w.now()))
		next := w.tenant("acme")
		_ = w.FinishDelete(w.ctx, op, w.now()) // refused or not
		equal(t, "the next taker", w.organization(next.org.ID), next.org)
		equal(t, "its owner", w.user(next.owner.ID), next.owner)
	})

	s.test("FinishDelete/WithoutBeginRemovesNothing", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		if err := w.FinishDelete(w.ctx, w.operation(app.OperationDelete, acme.org), w.now()); err == nil {
			t.Fatal("a deletion that nobody began was finished")
		}
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
	})
}
