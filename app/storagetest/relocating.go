package storagetest

import (
	"testing"
	"time"

	"tenantry/app"
)

func relocating(s registrySuite) {
	s.test("BeginRelocation/RecordsAndChangesNothing", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.beginRelocation(acme.org)
		equal(t, "operation", w.recorded(op.ID), op)
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
	})

	s.test("BeginRelocation/UnknownIsNotFound", func(t *testing.T, w *world) {
		is(t, w.BeginRelocation(w.ctx, w.relocation(w.creation("unknown").Organization)), app.ErrNotFound)
		c := w.creation("acme")
		w.begin(c) // one that nobody sees yet
		is(t, w.BeginRelocation(w.ctx, w.relocation(c.Organization)), app.ErrNotFound)
	})

	s.test("BeginRelocation/FromAnotherPlaceIsStale", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		for _, change := range []func(*app.Placement){
			func(p *app.Placement) { p.Cluster = "other" }, func(p *app.Placement) { p.Isolation = app.IsolationShared },
			func(p *app.Placement) { p.Database = "other" }, func(p *app.Placement) { p.Collection = "other" },
			func(p *app.Placement) { p.Generation++ },
		} {
			org := acme.org
			change(&org.Placement)
			is(t, w.BeginRelocation(w.ctx, w.relocation(org)), app.ErrStale)
			is(t, w.BeginRename(w.ctx, w.rename(org, "bolt")), app.ErrStale)
			is(t, w.BeginDelete(w.ctx, w.operation(app.OperationDelete, org), app.AnyRevision), app.ErrStale)
		}
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
		w.beginRelocation(acme.org) // nothing was recorded
	})

	s.test("BeginRelocation/OneOpenOperationPerOrganization", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.beginRelocation(acme.org)
		taken(t, w.BeginRelocation(w.ctx, w.relocation(acme.org)), app.ConflictOpenChange)
		taken(t, w.BeginRename(w.ctx, w.rename(acme.org, "bolt")), app.ConflictOpenChange)
		taken(t, w.BeginDelete(w.ctx, w.operation(app.OperationDelete, acme.org), app.AnyRevision), app.ConflictOpenChange)
		must(t, w.EndRelocation(w.ctx, op, app.OperationFailed, "why", w.now()))
		w.beginRelocation(w.organization(acme.org.ID))
	})

	s.test("BeginRelocation/LeavesTheRestChangeable", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.beginRelocation(acme.org)
		org, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID, At: w.now(),
			Name: ptr("New"), NameKey: ptr("new"), ExternalID: ptr("new"), Metadata: map[string]string{"a": "b"},
			State: ptr(app.StateSuspended), User: &app.CredentialChange{UserID: acme.owner.ID, Email: ptr("N@x"), EmailKey: ptr("n@x")}})
		must(t, err)
		moved, err := w.FlipRelocation(w.ctx, flipped(op), w.now())
		must(t, err)
		org.Placement, org.Revision, org.UpdatedAt = moved.Placement, moved.Revision, moved.UpdatedAt
		equal(t, "organization", moved, org)
	})

	s.test("NoteRelocation/RecordsHowFarItCame", func(t *testing.T, w *world) {
		op := w.beginRelocation(w.tenant("acme").org)
		next := *op.Relocation
		next.CopiedTo, next.Phase, next.Differences = "doc-9", app.RelocationVerifying, nil
		op.Relocation, op.Step, op.Error, op.Attempts = &next, "verifying", "not now", 4
		op.DueAt, op.UpdatedAt = w.now(), w.now()
		now, err := w.NoteRelocation(w.ctx, op, next.Generation, op.UpdatedAt)
		must(t, err)
		equal(t, "operation", now, op)
		equal(t, "as read", w.recorded(op.ID), op)
		op.DueAt, op.UpdatedAt = time.Time{}, w.now()
		_, err = w.NoteRelocation(w.ctx, op, next.Generation, op.UpdatedAt)
		must(t, err)
		equal(t, "as read", w.recorded(op.ID), op)
	})

	s.test("NoteRelocation/TakingOverShutsOut", func(t *testing.T, w *world) {
		before := w.beginRelocation(w.tenant("acme").org)
		after := before
		next := *before.Relocation
		next.Generation++
		after.Relocation = &next
		now, err := w.NoteRelocation(w.ctx, after, before.Relocation.Generation, before.UpdatedAt)
		must(t, err)
		equal(t, "operation", now, after)
		_, err = w.NoteRelocation(w.ctx, before, before.Relocation.Generation, w.now())
		is(t, err, app.ErrStale)
		_, err = w.FlipRelocation(w.ctx, flipped(before), w.now())
		is(t, err, app.ErrStale)
		is(t, w.EndRelocation(w.ctx, before, app.OperationFailed, "", w.now()), app.ErrStale)
		equal(t, "operation", w.recorded(before.ID), after)
	})

	s.test("NoteRelocation/ConcurrentServersOneWins", func(t *testing.T, w *world) {
		op := w.beginRelocation(w.tenant("acme").org)
		oneWinner(t, race(16, func(int) error {
			mine, next := op, *op.Relocation
			next.Generation++
			mine.Relocation = &next
			_, err := w.NoteRelocation(w.ctx, mine, op.Relocation.Generation, op.UpdatedAt)
			return err
		}), app.ErrStale)
	})

	s.test("NoteRelocation/WhatIsUndoneKeepsItsReason", func(t *testing.T, w *world) {
		op := w.beginRelocation(w.tenant("acme").org)
		must(t, w.AbortOperation(w.ctx, op.ID, app.OperationCancelling, "given up", w.now()))
		op.Error = "not now"
		now, err := w.NoteRelocation(w.ctx, op, op.Relocation.Generation, w.now())
		must(t, err)
		equal(t, "state", now.State, app.OperationCancelling)
		equal(t, "reason", now.Error, "given up")
	})

	s.test("NoteRelocation/UnknownIsNotFoundAndEndedIsStale", func(t *testing.T, w *world) {
		acme := w.tenant("acme").org
		op := w.relocation(acme)
		_, err := w.NoteRelocation(w.ctx, op, op.Relocation.Generation, w.now())
		is(t, err, app.ErrNotFound)
		must(t, w.BeginRelocation(w.ctx, op))
		must(t, w.EndRelocation(w.ctx, op, app.OperationCancelled, "", w.now()))
		_, err = w.NoteRelocation(w.ctx, op, op.Relocation.Generation, w.now())
		is(t, err, app.ErrStale)
	})
}
