package mongodb

import (
	"context"
	"fmt"
	"time"

	"tenantry/app"
)

// BeginDrain is as app.Drains says.
func (r *Registry) BeginDrain(ctx context.Context, op app.Operation) error {
	if op.Drain == nil || op.OrganizationID != "" {
		return fmt.Errorf("drain without a cluster, or of an organization: %w", app.ErrInvalid)
	}
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := operationDocOf(op)
		if err != nil {
			return err
		}
		return u.record(ctx, d)
	})
}

// NoteDrain is as app.Drains says.
func (r *Registry) NoteDrain(ctx context.Context, op app.Operation, t time.Time) (now app.Operation, err error) {
	err = r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.drain(ctx, op)
		if err != nil {
			return err
		}
		if app.OperationState(d.State).Undoing() {
			op.Error = d.Error // why it is being undone
		}
		if err := d.noteDrain(op, t); err != nil {
			return err
		}
		u.put(operations, d)
		now, err = d.operation()
		return err
	})
	return now, err
}

// EndDrain is as app.Drains says.
func (r *Registry) EndDrain(ctx context.Context, op app.Operation, state app.OperationState, reason string, t time.Time) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.drain(ctx, op)
		if err != nil {
			return err
		}
		if err := d.noteDrain(op, t); err != nil {
			return err
		}
		u.end(d, state, reason, t)
		return nil
	})
}

// drain reads one that is open and held by who holds op.
func (u *unit) drain(ctx context.Context, op app.Operation) (*operationDoc, error) {
	d, err := u.operation(ctx, op.ID)
	if err == nil && (!d.Open || d.Drain == "" || d.Holder != op.Lease.Holder) {
		err = app.ErrStale
	}
	return d, err
}

func (d *operationDoc) noteDrain(op app.Operation, t time.Time) (err error) {
	d.Drain, err = jsonOf(op.Drain)
	d.Step, d.Error, d.Attempts, d.UpdatedAt = op.Step, op.Error, op.Attempts, t
	return err
}
