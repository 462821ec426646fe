package storagetest

import (
	"testing"
	"time"

	"tenantry/app"
)

func journal(s registrySuite) {
	s.test("Operation/UnknownIsNotFound", func(t *testing.T, w *world) {
		_, err := w.Operation(w.ctx, app.NewID[app.OperationID]())
		is(t, err, app.ErrNotFound)
	})

	s.test("OpenOperations/ListsWhatIsLeftOldestFirst", func(t *testing.T, w *world) {
		renamed, deleted := w.tenant("renamed"), w.tenant("deleted")
		create := w.begin(w.creation("created"))
		rename := w.rename(renamed.org, "bolt")
		must(t, w.BeginRename(w.ctx, rename))
		remove := w.operation(app.OperationDelete, deleted.org)
		must(t, w.BeginDelete(w.ctx, remove, app.AnyRevision))
		must(t, w.AbortOperation(w.ctx, rename.ID, app.OperationAborting, "why", w.now()))
		got, err := w.OpenOperations(w.ctx, w.now())
		must(t, err)
		equal(t, "open operations", got, []app.Operation{create, w.recorded(rename.ID), remove})
		must(t, w.FinishDelete(w.ctx, remove, w.now()))
		must(t, w.AbandonRename(w.ctx, rename, "why", w.now()))
		_, err = w.FinishCreate(w.ctx, create, w.now())
		must(t, err)
		got, err = w.OpenOperations(w.ctx, w.now())
		must(t, err)
		equal(t, "open operations", len(got), 0)
	})

	s.test("AbortOperation/RecordsStateAndReason", func(t *testing.T, w *world) {
		op := w.begin(w.creation("acme"))
		at := w.now()
		must(t, w.AbortOperation(w.ctx, op.ID, app.OperationAborting, "the disk is full", at))
		want := op
		want.State, want.Error, want.UpdatedAt = app.OperationAborting, "the disk is full", at
		equal(t, "operation", w.recorded(op.ID), want)
	})

	s.test("AbortOperation/TwiceIsAborting", func(t *testing.T, w *world) {
		op := w.begin(w.creation("acme"))
		must(t, w.AbortOperation(w.ctx, op.ID, app.OperationAborting, "first", w.now()))
		must(t, w.AbortOperation(w.ctx, op.ID, app.OperationAborting, "first", w.now())) // recovery begins again
		got := w.recorded(op.ID)
		equal(t, "state", got.State, app.OperationAborting)
		equal(t, "reason", got.Error, "first")
	})

	s.test("AbortOperation/LeavesWhatHasEnded", func(t *testing.T, w *world) {
		completed := w.begin(w.creation("acme"))
		_, err := w.FinishCreate(w.ctx, completed, w.now())
		must(t, err)
		failed := w.begin(w.creation("bolt"))
		must(t, w.AbandonCreate(w.ctx, failed, "why", w.now()))
		_ = w.AbortOperation(w.ctx, completed.ID, app.OperationAborting, "late", w.now()) // refused or not
		_ = w.AbortOperation(w.ctx, failed.ID, app.OperationAborting, "late", w.now())
		w.ended(completed.ID, app.OperationCompleted)
		w.ended(failed.ID, app.OperationFailed)
	})

	s.test("AbortOperation/UnknownIsNotFound", func(t *testing.T, w *world) {
		is(t, w.AbortOperation(w.ctx, app.NewID[app.OperationID](), app.OperationAborting, "why", w.now()), app.ErrNotFound)
	})

	s.test("PruneOperations/RemovesThoseEndedBefore", func(t *testing.T, w *world) {
		open := w.begin(w.creation("open"))
		old := w.begin(w.creation("old"))
		must(t, w.AbandonCreate(w.ctx, old, "why", beginning.Add(time.Hour)))
		young := w.begin(w.creation("young"))
		_, err := w.FinishCreate(w.ctx, young, beginning.Add(2*time.Hour))
		must(t, err)
		cut := beginning.Add(2 * time.Hour)
		n, err := w.PruneOperations(w.ctx, cut)
		must(t, err)
		equal(t, "removed", n, 2) // with the one that made the neighbour
		_, err = w.Operation(w.ctx, old.ID)
		is(t, err, app.ErrNotFound)
		w.ended(young.ID, app.OperationCompleted)
		equal(t, "open operation", w.recorded(open.ID), open)
		n, err = w.PruneOperations(w.ctx, beginning.AddDate(100, 0, 0))
		must(t, err)
		equal(t, "removed later", n, 1)
		equal(t, "open operation", w.recorded(open.ID), open)
	})
}
