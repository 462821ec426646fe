package storagetest

import (
	"testing"

	"tenantry/app"
)

// drain is a new drain with every field set, held by a server.
func (w *world) drain(cluster, holder string) app.Operation {
	at := w.now()
	op := app.Operation{ID: app.NewID[app.OperationID](), Kind: app.OperationDrain, State: app.OperationRunning, Step: "s",
		Drain: &app.Drain{Cluster: cluster, To: "us", Completing: true, Total: 9, Left: 7, Failures: 2,
			Failed: []app.DrainFailure{{Organization: app.NewID[app.OrganizationID](), Slug: "acme", Reason: "no room"}}},
		CreatedAt: at, UpdatedAt: at}
	if holder != "" {
		op.Lease = app.Lease{Holder: holder, Until: at}
	}
	return op
}

func draining(s registrySuite) {
	s.test("BeginDrain/OneAtATime", func(t *testing.T, w *world) {
		w.tenant("acme")
		op := w.drain("eu", "a")
		must(t, w.BeginDrain(w.ctx, op))
		equal(t, "operation", w.recorded(op.ID), op)
		taken(t, w.BeginDrain(w.ctx, w.drain("us", "b")), app.ConflictOpenChange)
		open, err := w.OpenOperations(w.ctx, w.now())
		must(t, err)
		equal(t, "open", open, []app.Operation{op})
		list, err := w.ListOperations(w.ctx, app.OperationQuery{Kind: app.OperationDrain, States: app.OpenStates(), Limit: 2})
		must(t, err)
		equal(t, "listed", list, []app.Operation{op})
		bolt := w.tenant("bolt") // organizations have operations of their own
		w.beginRelocation(bolt.org)
		must(t, w.EndDrain(w.ctx, op, app.OperationCompleted, "", w.now()))
		must(t, w.BeginDrain(w.ctx, w.drain("us", "b")))
	})

	s.test("NoteDrain/RecordsHowFarItCame", func(t *testing.T, w *world) {
		op := w.drain("eu", "a")
		must(t, w.BeginDrain(w.ctx, op))
		next := *op.Drain
		next.Left, next.Failed, next.Failures = 3, nil, 0
		op.Drain, op.Step, op.Error, op.Attempts, op.UpdatedAt = &next, "moving", "away", 4, w.now()
		now, err := w.NoteDrain(w.ctx, op, op.UpdatedAt)
		must(t, err)
		equal(t, "operation", now, op)
		equal(t, "as read", w.recorded(op.ID), op)
		_, err = w.NoteDrain(w.ctx, w.drain("eu", "a"), w.now())
		is(t, err, app.ErrNotFound)
	})

	s.test("NoteDrain/NotOfWhoHoldsItNoMore", func(t *testing.T, w *world) {
		for _, holder := range []string{"", "a"} {
			op := w.drain("eu", holder)
			must(t, w.BeginDrain(w.ctx, op))
			must(t, w.ClaimOperation(w.ctx, op.ID, op.Lease, app.Lease{Holder: "b", Until: w.now()}))
			_, err := w.NoteDrain(w.ctx, op, w.now())
			is(t, err, app.ErrStale)
			is(t, w.EndDrain(w.ctx, op, app.OperationFailed, "", w.now()), app.ErrStale)
			op.Lease.Holder = "b"
			must(t, w.EndDrain(w.ctx, op, app.OperationFailed, "", w.now()))
			_, err = w.NoteDrain(w.ctx, op, w.now())
			is(t, err, app.ErrStale)
			is(t, w.EndDrain(w.ctx, op, app.OperationCompleted, "", w.now()), app.ErrStale)
			w.ended(op.ID, app.OperationFailed)
		}
	})

	s.test("NoteDrain/SaysThatItIsGivenUp", func(t *testing.T, w *world) {
		op := w.drain("eu", "a")
		must(t, w.BeginDrain(w.ctx, op))
		must(t, w.AbortOperation(w.ctx, op.ID, app.OperationCancelling, "enough", w.now()))
		op.Error = "another reason"
		now, err := w.NoteDrain(w.ctx, op, w.now())
		must(t, err)
		equal(t, "state", now.State, app.OperationCancelling)
		equal(t, "reason", now.Error, "enough")
	})

	s.test("EndDrain/KeepsHowFarItCame", func(t *testing.T, w *world) {
		op := w.drain("eu", "a")
		must(t, w.BeginDrain(w.ctx, op))
		op.Drain.Left = 0
		must(t, w.EndDrain(w.ctx, op, app.OperationFailed, "2 are left", w.now()))
		ended := w.recorded(op.ID)
		equal(t, "drain", ended.Drain, op.Drain)
		equal(t, "reason", ended.Error, "2 are left")
		equal(t, "state", ended.State, app.OperationFailed)
		equal(t, "lease", ended.Lease, app.Lease{})
	})
}
