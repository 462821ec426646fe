package storagetest

import (
	"slices"
	"testing"

	"tenantry/app"
)

func operations(s registrySuite) {
	s.test("ListOperations/NewestFirstInPages", func(t *testing.T, w *world) {
		var want []app.OperationID
		for _, slug := range []string{"a1", "b2", "c3", "d4", "e5"} {
			want = append(want, w.begin(w.creation(slug)).ID)
		}
		slices.Reverse(want)
		var got []app.OperationID
		q := app.OperationQuery{Limit: 2, States: []app.OperationState{app.OperationRunning}}
		for {
			page, err := w.ListOperations(w.ctx, q)
			must(t, err)
			for _, op := range page {
				got = append(got, op.ID)
			}
			if len(page) < q.Limit {
				break
			}
			q.Before = page[len(page)-1].ID
		}
		equal(t, "operations", got, want)
	})

	s.test("ListOperations/ByOrganizationKindAndState", func(t *testing.T, w *world) {
		acme, bolt := w.tenant("acme").org, w.tenant("bolt").org
		remove := w.operation(app.OperationDelete, acme)
		must(t, w.BeginDelete(w.ctx, remove, app.AnyRevision))
		for _, c := range []struct {
			q    app.OperationQuery
			want int
		}{
			{app.OperationQuery{}, 4}, // with the neighbour's
			{app.OperationQuery{Organization: acme.ID}, 2},
			{app.OperationQuery{Organization: bolt.ID}, 1},
			{app.OperationQuery{Kind: app.OperationDelete}, 1},
			{app.OperationQuery{States: []app.OperationState{app.OperationCompleted}}, 3},
			{app.OperationQuery{Organization: acme.ID, States: []app.OperationState{app.OperationRunning, app.OperationAborting}}, 1},
			{app.OperationQuery{Kind: app.OperationRename}, 0},
		} {
			c.q.Limit = 100
			list, err := w.ListOperations(w.ctx, c.q)
			must(t, err)
			equal(t, "operations of "+string(c.q.Organization)+" "+string(c.q.Kind), len(list), c.want)
		}
	})

	s.test("ClaimOperation/GivesItAnotherLease", func(t *testing.T, w *world) {
		c := w.creation("acme")
		op := w.operation(app.OperationCreate, c.Organization)
		op.Lease = app.Lease{Holder: "a", Until: w.now()}
		must(t, w.BeginCreate(w.ctx, op, c))
		next := app.Lease{Holder: "b", Until: w.now()}
		must(t, w.ClaimOperation(w.ctx, op.ID, op.Lease, next))
		is(t, w.ClaimOperation(w.ctx, op.ID, op.Lease, app.Lease{Holder: "c"}), app.ErrStale)
		is(t, w.ClaimOperation(w.ctx, op.ID, app.Lease{Holder: "b"}, app.Lease{Holder: "c"}), app.ErrStale)
		op.Lease = next
		equal(t, "operation", w.recorded(op.ID), op)
		must(t, w.ClaimOperation(w.ctx, op.ID, next, app.Lease{}))
		op.Lease = app.Lease{}
		equal(t, "operation without a lease", w.recorded(op.ID), op)
	})

	s.test("ClaimOperation/WhatHasEndedHasNone", func(t *testing.T, w *world) {
		c := w.creation("acme")
		op := w.operation(app.OperationCreate, c.Organization)
		op.Lease = app.Lease{Holder: "a", Until: w.now()}
		must(t, w.BeginCreate(w.ctx, op, c))
		_, err := w.FinishCreate(w.ctx, op, w.now())
		must(t, err)
		equal(t, "lease", w.recorded(op.ID).Lease, app.Lease{})
		is(t, w.ClaimOperation(w.ctx, op.ID, op.Lease, op.Lease), app.ErrStale)
		is(t, w.ClaimOperation(w.ctx, op.ID, app.Lease{}, op.Lease), app.ErrStale)
		is(t, w.ClaimOperation(w.ctx, app.NewID[app.OperationID](), app.Lease{}, op.Lease), app.ErrNotFound)
	})

	s.test("ClaimOperation/ConcurrentServersOneWins", func(t *testing.T, w *world) {
		op := w.begin(w.creation("acme"))
		until := w.now()
		oneWinner(t, race(16, func(i int) error {
			return w.ClaimOperation(w.ctx, op.ID, app.Lease{}, app.Lease{Holder: string(rune('a' + i)), Until: until})
		}), app.ErrStale)
	})

	s.test("NoteOperation/CountsAnAttempt", func(t *testing.T, w *world) {
		op := w.begin(w.creation("acme"))
		must(t, w.NoteOperation(w.ctx, op.ID, "provision", "first", w.now()))
		at := w.now()
		must(t, w.NoteOperation(w.ctx, op.ID, "provision", "second", at))
		want := op
		want.Step, want.Error, want.Attempts, want.UpdatedAt = "provision", "second", 2, at
		equal(t, "operation", w.recorded(op.ID), want)
	})

	s.test("NoteOperation/WhatIsUndoneKeepsItsReason", func(t *testing.T, w *world) {
		op := w.begin(w.creation("acme"))
		must(t, w.AbortOperation(w.ctx, op.ID, app.OperationCancelling, "given up", w.now()))
		must(t, w.NoteOperation(w.ctx, op.ID, "provision", "not now", w.now()))
		got := w.recorded(op.ID)
		equal(t, "reason", got.Error, "given up")
		equal(t, "attempts", got.Attempts, 1)
	})

	s.test("NoteOperation/LeavesWhatHasEnded", func(t *testing.T, w *world) {
		op := w.begin(w.creation("acme"))
		_, err := w.FinishCreate(w.ctx, op, w.now())
		must(t, err)
		before := w.recorded(op.ID)
		must(t, w.NoteOperation(w.ctx, op.ID, "open", "late", w.now()))
		equal(t, "operation", w.recorded(op.ID), before)
	})

	s.test("AbandonCreate/OfACancelledOneEndsCancelled", func(t *testing.T, w *world) {
		op := w.begin(w.creation("acme"))
		must(t, w.AbortOperation(w.ctx, op.ID, app.OperationCancelling, "given up", w.now()))
		must(t, w.AbandonCreate(w.ctx, op, "given up", w.now()))
		w.ended(op.ID, app.OperationCancelled)
		must(t, w.AbandonCreate(w.ctx, op, "given up", w.now())) // twice is once
		w.ended(op.ID, app.OperationCancelled)
	})

	s.test("AbortOperation/ToWhatIsNoUndoingIsRefused", func(t *testing.T, w *world) {
		op := w.begin(w.creation("acme"))
		is(t, w.AbortOperation(w.ctx, op.ID, app.OperationFailed, "why", w.now()), app.ErrInvalid)
		equal(t, "operation", w.recorded(op.ID), op)
	})
}
