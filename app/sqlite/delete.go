package sqlite

import (
	"context"
	"time"

	"tenantry/app"
)

// BeginDelete is as app.Lifecycle says.
func (r *Registry) BeginDelete(ctx context.Context, op app.Operation, ifRevision int64) error {
	var members []app.Invalidation
	err := r.d.write(ctx, func(c *conn) error {
		o, err := present(c, op.OrganizationID, ifRevision)
		if err != nil {
			return err
		}
		op.Before = o.State
		if err := insertOperation(c, op); err != nil {
			return err
		}
		if err := placedAs(o, op); err != nil {
			return err
		}
		state := app.StateDeleting
		if !op.DueAt.IsZero() {
			state = app.StateDeleted
		}
		if err := setState(c, o, state, op.CreatedAt); err != nil {
			return err
		}
		if members, err = membersOf(c, o.ID); err != nil {
			return err
		}
		_, err = c.exec(`DELETE FROM sessions WHERE organization_id = ?`, op.OrganizationID)
		return err
	})
	if err == nil {
		r.publish(append(members, app.Invalidation{Organization: op.OrganizationID})...)
	}
	return err
}

// membersOf names each membership of an organization, for who keeps what hangs
// on one.
func membersOf(c *conn, org app.OrganizationID) ([]app.Invalidation, error) {
	var members []app.Invalidation
	err := c.query(func(row scanner) error {
		m := app.Invalidation{Organization: org}
		err := row.Scan(&m.User)
		members = append(members, m)
		return err
	}, `SELECT user_id FROM memberships WHERE organization_id = ?`, org)
	return members, err
}

func setState(c *conn, o app.Organization, state app.OrganizationState, t time.Time) error {
	_, err := c.exec(`UPDATE organizations SET state = ?, revision = revision + 1, updated_at = ? WHERE id = ?`,
		state, app.Later(t, o.UpdatedAt).UnixMilli(), o.ID)
	return err
}

// RestoreOrganization is as app.Lifecycle says.
func (r *Registry) RestoreOrganization(ctx context.Context, op app.Operation, t time.Time) (o app.Organization, err error) {
	err = r.change(ctx, func(c *conn) error {
		recorded, err := readOperation(c, op.ID)
		if err != nil {
			return err
		}
		if o, err = readOrganization(c, recorded.OrganizationID); err != nil {
			return err
		}
		if recorded.Kind != app.OperationDelete || recorded.State != app.OperationRunning || o.State != app.StateDeleted {
			return app.Taken(app.ConflictOpenChange)
		}
		if _, err := end(c, op.ID, app.OperationCancelled, "", t); err != nil {
			return err
		}
		if err := setState(c, o, recorded.Before, t); err != nil {
			return err
		}
		o, err = readOrganization(c, o.ID)
		return err
	}, app.Invalidation{Organization: op.OrganizationID})
	return o, err
}

// BeginPurge is as app.Lifecycle says.
func (r *Registry) BeginPurge(ctx context.Context, op app.Operation, t time.Time) error {
	return r.change(ctx, func(c *conn) error {
		recorded, err := readOperation(c, op.ID)
		if err != nil {
			return err
		}
		if recorded.Kind != app.OperationDelete || recorded.State != app.OperationRunning {
			return errEnded(recorded)
		}
		o, err := readOrganization(c, recorded.OrganizationID)
		if err != nil || o.State != app.StateDeleted {
			return err
		}
		if _, err := c.exec(`UPDATE operations SET due_at = NULL, updated_at = ? WHERE id = ?`, t.UnixMilli(), op.ID); err != nil {
			return err
		}
		return setState(c, o, app.StateDeleting, t)
	}, app.Invalidation{Organization: op.OrganizationID})
}

// FinishDelete is as app.Lifecycle says.
func (r *Registry) FinishDelete(ctx context.Context, op app.Operation, t time.Time) error {
	var members []app.Invalidation
	err := r.d.write(ctx, func(c *conn) error {
		open, err := end(c, op.ID, app.OperationCompleted, "", t)
		if err != nil {
			return err
		}
		if !open {
			return endedAs(c, op.ID, app.OperationCompleted)
		}
		if members, err = membersOf(c, op.OrganizationID); err != nil {
			return err
		}
		return removeOrganization(c, op.OrganizationID)
	})
	if err == nil {
		r.publish(append(members, app.Invalidation{Organization: op.OrganizationID})...)
	}
	return err
}
