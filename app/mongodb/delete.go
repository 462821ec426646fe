package mongodb

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
)

// BeginDelete is as app.Lifecycle says.
func (r *Registry) BeginDelete(ctx context.Context, op app.Operation, ifRevision int64) error {
	err := r.change(ctx, func(ctx context.Context, u *unit) error {
		o, h, err := u.present(ctx, op.OrganizationID, ifRevision)
		if err != nil {
			return err
		}
		if err := u.record(ctx, op); err != nil {
			return err
		}
		o.State, o.UpdatedAt = app.StateDeleting, op.CreatedAt
		o.Revision++
		u.put(organizations, organizationDocOf(o, h))
		u.announce(app.Invalidation{Organization: o.ID})
		return nil
	})
	if err == nil {
		r.clear(ctx, bson.D{{Key: "organization_id", Value: string(op.OrganizationID)}})
	}
	return err
}

// FinishDelete is as app.Lifecycle says.
func (r *Registry) FinishDelete(ctx context.Context, op app.Operation, t time.Time) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.operation(ctx, op.ID)
		if err != nil {
			return err
		}
		if open, err := d.isOpen(app.OperationCompleted); !open {
			return err
		}
		if err := u.removeOrganization(ctx, op.OrganizationID); err != nil {
			return err
		}
		u.end(d, app.OperationCompleted, "", t)
		return nil
	})
}
