package sqlite

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
	return r.d.write(ctx, func(c *conn) error { return insertOperation(c, op) })
}

// NoteDrain is as app.Drains says.
func (r *Registry) NoteDrain(ctx context.Context, op app.Operation, t time.Time) (now app.Operation, err error) {
	err = r.d.write(ctx, func(c *conn) error {
		recorded, err := readDrain(c, op)
		if err != nil {
			return err
		}
		reason := op.Error
		if recorded.State.Undoing() {
			reason = recorded.Error // why it is being undone
		}
		if err := noteDrain(c, op, reason, t); err != nil {
			return err
		}
		now, err = readOperation(c, op.ID)
		return err
	})
	return now, err
}

// EndDrain is as app.Drains says.
func (r *Registry) EndDrain(ctx context.Context, op app.Operation, state app.OperationState, reason string, t time.Time) error {
	return r.d.write(ctx, func(c *conn) error {
		if _, err := readDrain(c, op); err != nil {
			return err
		}
		if err := noteDrain(c, op, reason, t); err != nil {
			return err
		}
		_, err := end(c, op.ID, state, reason, t)
		return err
	})
}

// readDrain gives one that is open and held by who holds op.
func readDrain(c *conn, op app.Operation) (app.Operation, error) {
	recorded, err := readOperation(c, op.ID)
	if err == nil && (!recorded.State.Open() || recorded.Drain == nil || recorded.Lease.Holder != op.Lease.Holder) {
		err = app.ErrStale
	}
	return recorded, err
}

func noteDrain(c *conn, op app.Operation, reason string, t time.Time) error {
	drain, err := jsonOf(op.Drain)
	if err != nil {
		return err
	}
	_, err = c.exec(`UPDATE operations SET drain = ?, step = ?, error = ?, attempts = ?, updated_at = ? WHERE id = ?`,
		drain, op.Step, reason, op.Attempts, t.UnixMilli(), op.ID)
	return err
}
