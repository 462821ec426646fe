package storagetest

import (
	"testing"

	"tenantry/app"
)

func abandoning(s registrySuite) {
	s.test("AbandonCreate/GivesEverythingBack", func(t *testing.T, w *world) {
		c := w.creation("acme")
		op := w.begin(c)
		at := w.now()
		must(t, w.AbandonCreate(w.ctx, op, "the disk is full", at))
		_, err := w.Organization(w.ctx, c.Organization.ID)
		is(t, err, app.ErrNotFound)
		_, err = w.OrganizationBySlug(w.ctx, "acme")
		is(t, err, app.ErrNotFound)
		_, err = w.User(w.ctx, c.Owner.ID)
		is(t, err, app.ErrNotFound)
		_, err = w.UserByEmail(w.ctx, c.Owner.EmailKey)
		is(t, err, app.ErrNotFound)
		_, err = w.Membership(w.ctx, c.Organization.ID, c.Owner.ID)
		is(t, err, app.ErrNotFound)
		failed := w.recorded(op.ID)
		equal(t, "reason", failed.Error, "the disk is full")
		equal(t, "time", failed.UpdatedAt, at)
		w.ended(op.ID, app.OperationFailed)
		w.create(w.creation("acme")) // slug, email, external id and collection are free
	})

	s.test("AbandonCreate/FromAborting", func(t *testing.T, w *world) {
		c := w.creation("acme")
		op := w.begin(c)
		must(t, w.AbortOperation(w.ctx, op.ID, app.OperationAborting, "refused", w.now()))
		must(t, w.AbandonCreate(w.ctx, w.recorded(op.ID), "refused", w.now()))
		w.ended(op.ID, app.OperationFailed)
		_, err := w.Organization(w.ctx, c.Organization.ID)
		is(t, err, app.ErrNotFound)
	})

	s.test("AbandonCreate/TwiceIsOnce", func(t *testing.T, w *world) {
		op := w.begin(w.creation("acme"))
		must(t, w.AbandonCreate(w.ctx, op, "first", w.now()))
		next := w.tenant("acme") // who takes the names meanwhile keeps them
		must(t, w.AbandonCreate(w.ctx, op, "second", w.now()))
		w.ended(op.ID, app.OperationFailed)
		equal(t, "the next taker", w.organization(next.org.ID), next.org)
		equal(t, "its owner", w.user(next.owner.ID), next.owner)
	})

	s.test("AbandonCreate/LeavesAnExistingUser", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		c := w.creation("second")
		c.Owner = nil
		c.Organization.OwnerID, c.Membership.UserID = acme.owner.ID, acme.owner.ID
		must(t, w.AbandonCreate(w.ctx, w.begin(c), "refused", w.now()))
		equal(t, "user", w.user(acme.owner.ID), acme.owner)
		got, err := w.Memberships(w.ctx, acme.owner.ID)
		must(t, err)
		equal(t, "memberships", got, []app.Membership{acme.membership})
	})

	s.test("AbandonCreate/AfterFinishRemovesNothing", func(t *testing.T, w *world) {
		c := w.creation("acme")
		op := w.begin(c)
		org, err := w.FinishCreate(w.ctx, op, w.now())
		must(t, err)
		_ = w.AbandonCreate(w.ctx, op, "late", w.now()) // refused or not
		equal(t, "organization", w.organization(org.ID), org)
		equal(t, "owner", w.user(c.Owner.ID), *c.Owner)
		w.ended(op.ID, app.OperationCompleted)
	})
}
