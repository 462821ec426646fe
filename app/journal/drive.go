package journal

import (
	"context"
	"errors"

	"tenantry/app"
)

// ErrBusy says that somebody works on the operation right now. It is an
// app.ErrConflict.
var ErrBusy = errors.Join(errors.New("somebody works on the operation"), app.ErrConflict)

// drive runs the Drive of a plan with the claim and the lease, which it gives
// back: what is open then and not due yet, another server may take up at once.
func (r *Runner) drive(p Plan, op app.Operation) error {
	ctx, cancel := context.WithCancel(r.driving)
	defer cancel()
	done := r.holding(context.WithoutCancel(ctx), op, cancel)
	err := p.Drive(ctx, op)
	lease := done()
	laidDown := errors.Is(err, app.ErrUnavailable) && r.driving.Err() == nil
	if laidDown {
		r.layDown(op)
	}
	if lease.Holder != "" {
		giveBack, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTimeout)
		defer cancel()
		// Refused when it has ended, or is another's: it is nobody's of ours then.
		_ = r.journal.ClaimOperation(giveBack, op.ID, lease, app.Lease{})
	}
	if err != nil && r.driving.Err() != nil {
		return &PendingError{Operation: op.ID, Err: err}
	}
	if laidDown {
		r.log.Warn("an operation is left to other servers for now", "operation_id", op.ID, "kind", op.Kind, "org_id", op.OrganizationID, "error", err)
		return &RunningError{Operation: op.ID}
	}
	return err
}

// driveOn drives in the background, with the claim.
func (r *Runner) driveOn(p Plan, op app.Operation) {
	r.rest.Go(func() {
		defer r.release(op.ID)
		err := r.guarded(context.WithoutCancel(r.driving), p, op)
		var running *RunningError
		if err != nil && !errors.As(err, &running) {
			r.log.Warn("an operation stopped", "operation_id", op.ID, "kind", op.Kind, "org_id", op.OrganizationID, "error", err)
		}
	})
}

// Turn changes an open operation that is driven and that nobody works on, and
// drives it on. change may record what it likes of the operation, which it is
// given as it is recorded. Its error is returned as it is; ErrBusy when
// somebody works on it; a RunningError when it takes longer than the runner
// waits, or is left to others.
func (r *Runner) Turn(ctx context.Context, id app.OperationID, change func(context.Context, *app.Operation) error) error {
	if !r.claim(id) {
		return ErrBusy
	}
	op, err := r.turn(ctx, id, change)
	if err != nil {
		r.release(id)
		return err
	}
	return r.background(context.WithoutCancel(ctx), r.plans[op.Kind], op)
}

func (r *Runner) turn(ctx context.Context, id app.OperationID, change func(context.Context, *app.Operation) error) (app.Operation, error) {
	op, err := r.journal.Operation(ctx, id)
	if err != nil {
		return op, err
	}
	if !op.State.Open() {
		return op, change(ctx, &op) // which says so
	}
	if mine, err := r.take(ctx, &op); !mine {
		return op, errors.Join(ErrBusy, err)
	}
	return op, change(ctx, &op)
}
