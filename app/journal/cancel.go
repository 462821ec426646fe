package journal

import (
	"context"
	"errors"
	"fmt"

	"tenantry/app"
)

// ErrNotCancellable says that the operation's kind only goes forward, or that somebody works
// on it right now. It is an app.ErrConflict.
var ErrNotCancellable = fmt.Errorf("not cancellable: %w", app.ErrConflict)

// Cancel gives an open operation up and undoes what it did. The error is
// ErrNotCancellable where that is not possible, and app.ErrConflict when it
// has ended.
func (r *Runner) Cancel(ctx context.Context, id app.OperationID, reason string) error {
	if !r.claim(id) {
		return ErrNotCancellable
	}
	defer r.release(id)
	op, err := r.journal.Operation(ctx, id)
	if err != nil {
		return err
	}
	plan, known := r.plans[op.Kind]
	if !known || plan.OnlyForward {
		return ErrNotCancellable
	}
	if op.State.Open() {
		if mine, err := r.take(ctx, &op); !mine {
			return errors.Join(ErrNotCancellable, err)
		}
	}
	err = r.undo(context.WithoutCancel(ctx), plan, op, app.OperationCancelling, reason)
	if err != nil && !errors.Is(err, app.ErrConflict) {
		return &PendingError{Operation: id, Err: err}
	}
	return err
}

// Steps names the steps of a kind of operation, in order.
func (r *Runner) Steps(kind app.OperationKind) []string {
	var names []string
	for _, step := range r.plans[kind].Steps {
		names = append(names, step.Name)
	}
	return names
}
