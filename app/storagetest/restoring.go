package storagetest

import (
	"testing"
	"time"

	"tenantry/app"
)

// retained begins a deletion that can be taken back.
func (w *world) retained(org app.Organization) app.Operation {
	w.t.Helper()
	op := w.operation(app.OperationDelete, org)
	op.DueAt, op.Before = op.CreatedAt.Add(time.Hour), "" // the engine knows
	must(w.t, w.BeginDelete(w.ctx, op, app.AnyRevision))
	return op
}

func restoring(s registrySuite) {
	s.test("BeginDelete/WithRetentionHidesAndKeeps", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		before := w.proof(acme.org.ID, acme.owner)
		op := w.retained(acme.org)
		equal(t, "state", w.organization(acme.org.ID).State, app.StateDeleted)
		want := op
		want.Before = app.StateActive
		equal(t, "operation", w.recorded(op.ID), want)
		_, err := w.Session(w.ctx, acme.session.ID)
		is(t, err, app.ErrNotFound)
		is(t, w.CreateSession(w.ctx, w.newSession(acme.org.ID, acme.owner.ID), before), app.ErrUnauthenticated)
		list, err := w.Memberships(w.ctx, acme.owner.ID)
		must(t, err)
		equal(t, "memberships in visible organizations", len(list), 0)
		c := w.creation("bolt")
		c.Organization.Slug = "acme"
		taken(t, w.BeginCreate(w.ctx, w.operation(app.OperationCreate, c.Organization), c), app.ConflictSlug)
		c = w.creation("bolt")
		c.Owner.EmailKey = acme.owner.EmailKey
		taken(t, w.BeginCreate(w.ctx, w.operation(app.OperationCreate, c.Organization), c), app.ConflictEmail)
	})

	s.test("OpenOperations/ListsWhatIsDueAlone", func(t *testing.T, w *world) {
		op := w.retained(w.tenant("acme").org)
		for due, n := range map[time.Time]int{op.DueAt.Add(-time.Millisecond): 0, op.DueAt: 1} {
			open, err := w.OpenOperations(w.ctx, due)
			must(t, err)
			equal(t, "open operations at "+due.String(), len(open), n)
		}
	})

	s.test("RestoreOrganization/LeadsBackToTheStateBefore", func(t *testing.T, w *world) {
		for slug, state := range map[string]app.OrganizationState{"acme": app.StateActive, "bolt": app.StateSuspended} {
			org := w.tenant(slug).org
			if state == app.StateSuspended {
				var err error
				org, err = w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: org.ID, State: &state, At: w.now()})
				must(t, err)
			}
			op := w.retained(org)
			got, err := w.RestoreOrganization(w.ctx, op, w.now())
			must(t, err)
			want := org
			want.Revision, want.UpdatedAt = org.Revision+2, got.UpdatedAt
			equal(t, "restored", got, want)
			equal(t, "organization", w.organization(org.ID), want)
			w.ended(op.ID, app.OperationCancelled)
			must(t, w.BeginDelete(w.ctx, w.operation(app.OperationDelete, org), app.AnyRevision)) // again
		}
	})

	s.test("RestoreOrganization/PastItsRetentionIsRefused", func(t *testing.T, w *world) {
		org := w.tenant("acme").org
		op := w.retained(org)
		must(t, w.BeginPurge(w.ctx, op, w.now()))
		must(t, w.BeginPurge(w.ctx, op, w.now())) // twice is once
		equal(t, "state", w.organization(org.ID).State, app.StateDeleting)
		open, err := w.OpenOperations(w.ctx, beginning)
		must(t, err)
		equal(t, "open operations due now", len(open), 1)
		_, err = w.RestoreOrganization(w.ctx, op, w.now())
		taken(t, err, app.ConflictOpenChange)
		equal(t, "state", w.organization(org.ID).State, app.StateDeleting)
		must(t, w.FinishDelete(w.ctx, op, w.now()))
		w.ended(op.ID, app.OperationCompleted)
	})

	s.test("RestoreOrganization/DeletedAtOnceIsRefused", func(t *testing.T, w *world) {
		org := w.tenant("acme").org
		op := w.operation(app.OperationDelete, org)
		must(t, w.BeginDelete(w.ctx, op, app.AnyRevision))
		_, err := w.RestoreOrganization(w.ctx, op, w.now())
		taken(t, err, app.ConflictOpenChange)
	})

	s.test("RestoreOrganization/UnknownIsNotFound", func(t *testing.T, w *world) {
		_, err := w.RestoreOrganization(w.ctx, w.operation(app.OperationDelete, w.tenant("acme").org), w.now())
		is(t, err, app.ErrNotFound)
	})

	s.test("BeginPurge/AndRestoreOneWins", func(t *testing.T, w *world) {
		org := w.tenant("acme").org
		op := w.retained(org)
		winner := oneWinner(t, race(2, func(i int) error {
			if i == 0 {
				_, err := w.RestoreOrganization(w.ctx, op, w.now())
				return err
			}
			return w.BeginPurge(w.ctx, op, w.now())
		}), app.ErrConflict)
		want := []app.OrganizationState{app.StateActive, app.StateDeleting}[winner]
		equal(t, "state", w.organization(org.ID).State, want)
	})

	s.test("BeginPurge/OfWhatWasRestoredIsRefused", func(t *testing.T, w *world) {
		org := w.tenant("acme").org
		op := w.retained(org)
		_, err := w.RestoreOrganization(w.ctx, op, w.now())
		must(t, err)
		is(t, w.BeginPurge(w.ctx, op, w.now()), app.ErrConflict)
		equal(t, "state", w.organization(org.ID).State, app.StateActive)
	})
}
