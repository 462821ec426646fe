package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tenantry/app"
)

// atOnce is how many open operations are worked on at one time. What a server
// that died has written and not committed is held by the database for as long
// as it takes it for alive, a minute with MongoDB; who meets that waits, and
// must not keep the other operations waiting.
const atOnce = 8

// Recover finishes or undoes every open operation that is due and that nobody
// works on, but for those that this runner has laid down a moment ago and leaves
// to others. It goes on after a failure and returns how many it ended and all
// that failed. What is driven goes on in the background.
func (r *Runner) Recover(ctx context.Context) (ended int, err error) {
	ended, _, err = r.recover(ctx)
	return ended, err
}

// recover also reports whether others drive something that is due.
func (r *Runner) recover(ctx context.Context) (ended int, driven bool, err error) {
	open, err := r.journal.OpenOperations(ctx, r.clock())
	if err != nil {
		return 0, false, fmt.Errorf("list open operations: %w", err)
	}
	driven = slices.ContainsFunc(open, func(op app.Operation) bool {
		return r.leases != nil && op.Lease.Holder != "" && op.Lease.Holder != r.leases.holder && r.plans[op.Kind].Drive != nil
	})
	r.forget(open)
	did, failures := make([]bool, len(open)), make([]error, len(open))
	var working sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i, op := range open {
		if r.left(op.ID) {
			continue
		}
		places <- struct{}{}
		working.Go(func() {
			defer func() { <-places }()
			var err error
			if did[i], err = r.Resume(ctx, op.ID); err != nil {
				failures[i] = fmt.Errorf("%s operation %s of organization %s: %w", op.Kind, op.ID, op.OrganizationID, err)
			}
		})
	}
	working.Wait()
	for _, d := range did {
		if d {
			ended++
		}
	}
	return ended, driven, errors.Join(failures...)
}

// Resume finishes or undoes one operation, as Recover does, and reports
// whether it did: not one that somebody works on, has ended, or is not due.
func (r *Runner) Resume(ctx context.Context, id app.OperationID) (bool, error) {
	return r.resume(ctx, id, func(op app.Operation) bool { return op.Due(r.clock()) })
}

// Finish is Resume without waiting until the operation is due. The error is a
// PendingError when the operation stays open.
func (r *Runner) Finish(ctx context.Context, id app.OperationID) (bool, error) {
	return r.resume(context.WithoutCancel(ctx), id, func(op app.Operation) bool { return op.State.Open() })
}

func (r *Runner) resume(ctx context.Context, id app.OperationID, which func(app.Operation) bool) (bool, error) {
	if !r.claim(id) {
		return false, nil
	}
	driven := false
	defer func() {
		if !driven {
			r.release(id)
		}
	}()
	// Read again: it may have ended between the list and the claim.
	op, err := r.journal.Operation(ctx, id)
	if errors.Is(err, app.ErrNotFound) {
		return false, nil
	}
	if err != nil || !which(op) {
		return false, err
	}
	plan, known := r.plans[op.Kind]
	if !known {
		return false, fmt.Errorf("this version does not know the kind %q; it was recorded by a newer one", op.Kind)
	}
	if mine, err := r.take(ctx, &op); !mine {
		return false, err
	}
	if plan.Drive != nil {
		driven = true
		r.driveOn(plan, op)
		return false, nil
	}
	if op.State == app.OperationRunning && plan.Interrupted == Forward {
		err = r.do(ctx, plan, op)
		var pending *PendingError
		if err != nil && !errors.As(err, &pending) {
			r.log.Warn("an interrupted operation could not be finished and was undone", "operation_id", op.ID,
				"kind", op.Kind, "org_id", op.OrganizationID, "error", err)
			return true, nil
		}
	} else {
		reason := op.Error
		if reason == "" {
			reason = "the server that ran it stopped"
		}
		done := r.holding(ctx, op, func() {})
		err = r.undo(ctx, plan, op, app.OperationAborting, reason)
		done()
	}
	if err != nil {
		return false, err
	}
	r.log.Info("an interrupted operation was ended", "operation_id", op.ID,
		"kind", op.Kind, "org_id", op.OrganizationID)
	return true, nil
}

// watchEvery is how often what others drive is looked at: it is not to stand
// still for much longer than its lease, since others may wait for it.
const watchEvery = 500 * time.Millisecond

// Reconcile calls Recover again and again until the context ends, more often
// while other servers drive something. What finds nothing open costs one read of
// an index.
func (r *Runner) Reconcile(ctx context.Context, every time.Duration) {
	timer := time.NewTimer(every)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		_, driven, err := r.recover(ctx)
		if err != nil && ctx.Err() == nil {
			r.log.Warn("operations are still open", "error", err)
		}
		next := every
		if driven {
			next = min(every, watchEvery)
		}
		timer.Reset(next)
	}
}
