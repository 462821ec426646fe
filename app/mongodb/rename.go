package mongodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
)

// BeginRename is as app.Lifecycle says.
func (r *Registry) BeginRename(ctx context.Context, op app.Operation) error {
	if op.Change == nil || op.Change.Slug == nil || op.Change.Collection == nil {
		return fmt.Errorf("rename without a new slug: %w", app.ErrInvalid)
	}
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		o, h, err := u.present(ctx, op.OrganizationID, op.Change.IfRevision)
		if err != nil {
			return err
		}
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
		// A change that gives names back must not miss that these are taken now.
		u.pin(organizations, organizationDocOf(o, h))
		return u.claimFor(ctx, o, *op.Change)
	})
}

// FinishRename is as app.Lifecycle says.
func (r *Registry) FinishRename(ctx context.Context, op app.Operation, t time.Time) (o app.Organization, err error) {
	var ended bson.D
	err = r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.operation(ctx, op.ID)
		if err != nil {
			return err
		}
		recorded, err := d.operation()
		if err != nil {
			return err
		}
		if recorded.State != app.OperationRunning || recorded.Change == nil {
			return errEnded(d)
		}
		var h organizationHead
		if o, h, err = u.organization(ctx, op.OrganizationID); err != nil {
			return err
		}
		change := *recorded.Change
		change.At = app.Later(t, o.UpdatedAt)
		if o, ended, err = u.apply(ctx, o, h, change); err != nil {
			return err
		}
		u.end(d, app.OperationCompleted, "", t)
		return nil
	})
	if err == nil && ended != nil {
		r.clear(ctx, ended)
	}
	return o, err
}

// AbandonRename is as app.Lifecycle says.
func (r *Registry) AbandonRename(ctx context.Context, op app.Operation, reason string, t time.Time) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.operation(ctx, op.ID)
		if err != nil {
			return err
		}
		if open, err := d.undone(); !open {
			return err
		}
		recorded, err := d.operation()
		if err != nil {
			return err
		}
		u.end(d, app.OperationState(d.State).Undone(), reason, t)
		o, h, err := u.organization(ctx, op.OrganizationID)
		if err != nil {
			return err
		}
		u.pin(organizations, organizationDocOf(o, h))
		for kind, inForce := range map[string]string{
			claimSlug: o.Slug, claimExternalID: o.ExternalID, claimCollection: collectionClaim(o.Placement),
		} {
			if err := u.settle(ctx, kind, string(o.ID), inForce); err != nil {
				return err
			}
		}
		if recorded.Change == nil || recorded.Change.User == nil {
			return nil
		}
		user, err := u.user(ctx, recorded.Change.User.UserID)
		if errors.Is(err, app.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return u.settle(ctx, claimEmail, user.ID, user.EmailKey)
	})
}
