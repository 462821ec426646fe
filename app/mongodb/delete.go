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
		op.Before = o.State
		d, err := operationDocOf(op)
		if err != nil {
			return err
		}
		if err := u.record(ctx, d); err != nil {
			return err
		}
		if err := placedAs(o, op); err != nil {
			return err
		}
		state := app.StateDeleting
		if !op.DueAt.IsZero() {
			state = app.StateDeleted
		}
		h.epoch++ // its sessions are none any more, also when it comes back
		u.setState(o, h, state, op.CreatedAt)
		members, err := find[membershipDoc](ctx, r, memberships, bson.D{{Key: "organization_id", Value: string(o.ID)}, present})
		for _, m := range members {
			u.announce(app.Invalidation{Organization: o.ID, User: app.UserID(m.UserID)})
		}
		return err
	})
	if err == nil {
		r.clear(ctx, bson.D{{Key: "organization_id", Value: string(op.OrganizationID)}})
	}
	return err
}

// setState writes a change of the state and gives the organization as it is
// then.
func (u *unit) setState(o app.Organization, h organizationHead, state app.OrganizationState, t time.Time) app.Organization {
	o.State, o.UpdatedAt = state, app.Later(t, o.UpdatedAt)
	o.Revision++
	u.put(organizations, organizationDocOf(o, h))
	u.announce(app.Invalidation{Organization: o.ID})
	return o
}

// RestoreOrganization is as app.Lifecycle says.
func (r *Registry) RestoreOrganization(ctx context.Context, op app.Operation, t time.Time) (o app.Organization, err error) {
	err = r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.operation(ctx, op.ID)
		if err != nil {
			return err
		}
		found, h, err := u.organization(ctx, app.OrganizationID(d.OrganizationID))
		if err != nil {
			return err
		}
		if d.Kind != string(app.OperationDelete) || d.State != string(app.OperationRunning) || found.State != app.StateDeleted {
			return app.Taken(app.ConflictOpenChange)
		}
		o = u.setState(found, h, app.OrganizationState(d.Before), t)
		u.end(d, app.OperationCancelled, "", t)
		return nil
	})
	return o, err
}

// BeginPurge is as app.Lifecycle says.
func (r *Registry) BeginPurge(ctx context.Context, op app.Operation, t time.Time) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.operation(ctx, op.ID)
		if err != nil {
			return err
		}
		if d.Kind != string(app.OperationDelete) || d.State != string(app.OperationRunning) {
			return errEnded(d)
		}
		o, h, err := u.organization(ctx, app.OrganizationID(d.OrganizationID))
		if err != nil || o.State == app.StateDeleting {
			return err
		}
		if o.State != app.StateDeleted {
			return errAgain // it was restored after the operation was read
		}
		d.DueAt, d.UpdatedAt = nil, t
		u.put(operations, d)
		u.setState(o, h, app.StateDeleting, t)
		return nil
	})
}

// FinishDelete is as app.Lifecycle says.
func (r *Registry) FinishDelete(ctx context.Context, op app.Operation, t time.Time) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.operation(ctx, op.ID)
		if err != nil {
			return err
		}
		switch state := app.OperationState(d.State); {
		case state == app.OperationCompleted:
			return nil
		case !state.Open():
			return errEnded(d)
		}
		if err := u.removeOrganization(ctx, op.OrganizationID); err != nil {
			return err
		}
		u.end(d, app.OperationCompleted, "", t)
		return nil
	})
}
