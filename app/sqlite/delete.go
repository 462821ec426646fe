package sqlite

import (
	"context"
	"time"

	"tenantry/app"
)

// BeginDelete is as app.Lifecycle says.
func (r *Registry) BeginDelete(ctx context.Context, op app.Operation, ifRevision int64) error {
	return r.change(ctx, func(c *conn) error {
		if _, err := present(c, op.OrganizationID, ifRevision); err != nil {
			return err
		}
		if err := insertOperation(c, op); err != nil {
			return err
		}
		if _, err := c.exec(`UPDATE organizations SET state = 'deleting', revision = revision + 1, updated_at = ? WHERE id = ?`,
			op.CreatedAt.UnixMilli(), op.OrganizationID); err != nil {
			return err
		}
		_, err := c.exec(`DELETE FROM sessions WHERE organization_id = ?`, op.OrganizationID)
		return err
	}, app.Invalidation{Organization: op.OrganizationID})
}

// FinishDelete is as app.Lifecycle says.
func (r *Registry) FinishDelete(ctx context.Context, op app.Operation, t time.Time) error {
	var members []app.Invalidation
	err := r.d.write(ctx, func(c *conn) error {
		members = members[:0]
		open, err := end(c, op.ID, app.OperationCompleted, "", t)
		if err != nil {
			return err
		}
		if !open {
			return endedAs(c, op.ID, app.OperationCompleted)
		}
		err = c.query(func(row scanner) error {
			m := app.Invalidation{Organization: op.OrganizationID}
			err := row.Scan(&m.User)
			members = append(members, m)
			return err
		}, `SELECT user_id FROM memberships WHERE organization_id = ?`, op.OrganizationID)
		if err != nil {
			return err
		}
		return removeOrganization(c, op.OrganizationID)
	})
	if err == nil {
		r.publish(append(members, app.Invalidation{Organization: op.OrganizationID})...)
	}
	return err
}
