package storagetest

import (
	"slices"
	"testing"

	"tenantry/app"
)

func flipping(s registrySuite) {
	s.test("FlipRelocation/ThereAndBack", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.beginRelocation(acme.org)
		want := acme.org
		for _, place := range []app.Placement{op.Relocation.Target, op.Relocation.Source} {
			op = flipped(op)
			org, err := w.FlipRelocation(w.ctx, op, w.now())
			must(t, err)
			want.Placement = place
			want.Placement.Generation = op.Relocation.Generation
			want.Revision, want.UpdatedAt = want.Revision+1, org.UpdatedAt
			equal(t, "organization", org, want)
			equal(t, "as read", w.organization(org.ID), want)
			recorded := w.recorded(op.ID)
			op.UpdatedAt = recorded.UpdatedAt
			equal(t, "operation", recorded, op)
		}
	})

	s.test("FlipRelocation/TwiceIsStale", func(t *testing.T, w *world) {
		op := flipped(w.beginRelocation(w.tenant("acme").org))
		org, err := w.FlipRelocation(w.ctx, op, w.now())
		must(t, err)
		_, err = w.FlipRelocation(w.ctx, op, w.now())
		is(t, err, app.ErrStale)
		equal(t, "organization", w.organization(org.ID), org)
	})

	s.test("NoteRelocation/OfBeforeTheFlipIsStale", func(t *testing.T, w *world) {
		before := w.beginRelocation(w.tenant("acme").org)
		after := flipped(before)
		_, err := w.FlipRelocation(w.ctx, after, w.now())
		must(t, err)
		_, err = w.NoteRelocation(w.ctx, before, before.Relocation.Generation, w.now())
		is(t, err, app.ErrStale)
		equal(t, "flips", w.recorded(before.ID).Relocation.Flips, 1)
		_, err = w.NoteRelocation(w.ctx, after, after.Relocation.Generation, w.now())
		must(t, err)
	})

	s.test("FlipRelocation/OfOneBeingUndoneIsRefused", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.beginRelocation(acme.org)
		must(t, w.AbortOperation(w.ctx, op.ID, app.OperationCancelling, "given up", w.now()))
		_, err := w.FlipRelocation(w.ctx, flipped(op), w.now())
		is(t, err, app.ErrConflict)
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
		equal(t, "flips", w.recorded(op.ID).Relocation.Flips, 0)
	})

	s.test("AbortOperation/WhatHasFlippedIsRefused", func(t *testing.T, w *world) {
		op := flipped(w.beginRelocation(w.tenant("acme").org))
		_, err := w.FlipRelocation(w.ctx, op, w.now())
		must(t, err)
		is(t, w.AbortOperation(w.ctx, op.ID, app.OperationCancelling, "late", w.now()), app.ErrConflict)
		equal(t, "state", w.recorded(op.ID).State, app.OperationRunning)
	})

	s.test("FlipRelocation/AgainstCancellingOneWins", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.beginRelocation(acme.org)
		winner := oneWinner(t, race(2, func(i int) error {
			if i == 0 {
				return w.AbortOperation(w.ctx, op.ID, app.OperationCancelling, "given up", op.UpdatedAt)
			}
			_, err := w.FlipRelocation(w.ctx, flipped(op), op.UpdatedAt)
			return err
		}), app.ErrConflict)
		equal(t, "at the target", w.organization(acme.org.ID).Placement.Cluster == "other", winner == 1)
	})

	s.test("FlipRelocation/GivesTheOldPlaceBack", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := flipped(w.beginRelocation(acme.org))
		_, err := w.FlipRelocation(w.ctx, op, w.now())
		must(t, err)
		must(t, w.EndRelocation(w.ctx, op, app.OperationCompleted, "", w.now()))
		rename := w.rename(w.organization(acme.org.ID), "bolt")
		rename.Change.Collection = ptr(app.SharedCollection)
		must(t, w.BeginRename(w.ctx, rename))
		renamed, err := w.FinishRename(w.ctx, rename, w.now())
		must(t, err)
		equal(t, "collection", renamed.Placement.Collection, app.SharedCollection)
		c := w.creation("acme") // with the name and the collection that were left
		c.Organization.ExternalID, c.Owner.EmailKey = "another", "another@x"
		w.create(c)
		// And back, under the new name.
		back := w.operation(app.OperationRelocate, renamed)
		target := acme.org.Placement
		target.Collection = app.CollectionName("bolt")
		back.Relocation = &app.Relocation{Source: renamed.Placement, Target: target, Generation: renamed.Placement.Generation + 1}
		must(t, w.BeginRelocation(w.ctx, back))
		org, err := w.FlipRelocation(w.ctx, flipped(back), w.now())
		must(t, err)
		equal(t, "collection", org.Placement.Collection, "org_bolt")
	})

	s.test("FlipRelocation/IsAnnounced", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.beginRelocation(acme.org)
		var heard feed
		w.Subscribe(heard.add)
		op = flipped(op)
		_, err := w.FlipRelocation(w.ctx, op, w.now())
		must(t, err)
		heardOf := app.Invalidation{Organization: acme.org.ID}
		equal(t, "heard of the flip", slices.Contains(heard.take(), heardOf), true)
		must(t, w.EndRelocation(w.ctx, op, app.OperationCompleted, "", w.now()))
		equal(t, "heard of the end", slices.Contains(heard.take(), heardOf), true)
	})
}

func endingRelocations(s registrySuite) {
	s.test("EndRelocation/GivesThePlacementItsGeneration", func(t *testing.T, w *world) {
		for _, state := range []app.OperationState{app.OperationCancelled, app.OperationFailed} {
			acme := w.tenant("acme-" + string(state))
			op := w.beginRelocation(acme.org)
			next := *op.Relocation
			next.Generation += 3
			op.Relocation = &next
			_, err := w.NoteRelocation(w.ctx, op, next.Generation-3, w.now())
			must(t, err)
			must(t, w.EndRelocation(w.ctx, op, state, "why", w.now()))
			want := acme.org
			want.Placement.Generation = next.Generation
			equal(t, "organization", w.organization(acme.org.ID), want)
			w.ended(op.ID, state)
			equal(t, "reason", w.recorded(op.ID).Error, "why")
			equal(t, "relocation", w.recorded(op.ID).Relocation, &next)
		}
	})

	s.test("EndRelocation/TwiceIsOnce", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.beginRelocation(acme.org)
		must(t, w.EndRelocation(w.ctx, op, app.OperationFailed, "why", w.now()))
		before := w.recorded(op.ID)
		must(t, w.EndRelocation(w.ctx, op, app.OperationFailed, "late", w.now()))
		is(t, w.EndRelocation(w.ctx, op, app.OperationCompleted, "", w.now()), app.ErrConflict)
		equal(t, "operation", w.recorded(op.ID), before)
	})

	s.test("EndRelocation/FlippedMeanwhileIsStale", func(t *testing.T, w *world) {
		op := w.beginRelocation(w.tenant("acme").org)
		_, err := w.FlipRelocation(w.ctx, flipped(op), w.now())
		must(t, err)
		is(t, w.EndRelocation(w.ctx, op, app.OperationFailed, "", w.now()), app.ErrStale)
	})

	s.test("EndRelocation/RevertedIsPrunedLikeTheOthers", func(t *testing.T, w *world) {
		op := flipped(w.beginRelocation(w.tenant("acme").org))
		_, err := w.FlipRelocation(w.ctx, op, w.now())
		must(t, err)
		op = flipped(op)
		_, err = w.FlipRelocation(w.ctx, op, w.now())
		must(t, err)
		must(t, w.EndRelocation(w.ctx, op, app.OperationReverted, "", w.now()))
		w.ended(op.ID, app.OperationReverted)
		w.neighbour = w.tenant("another") // whose operation is younger
		_, err = w.PruneOperations(w.ctx, w.recorded(op.ID).UpdatedAt.Add(1e6))
		must(t, err)
		_, err = w.Operation(w.ctx, op.ID)
		is(t, err, app.ErrNotFound)
	})
}
