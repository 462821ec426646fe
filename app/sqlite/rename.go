package sqlite

import (
	"context"
	"fmt"
	"time"

	"tenantry/app"
)

// BeginRename is as app.Lifecycle says.
func (r *Registry) BeginRename(ctx context.Context, op app.Operation) error {
	if op.Change == nil || op.Change.Slug == nil || op.Change.Collection == nil {
		return fmt.Errorf("rename without a new slug: %w", app.ErrInvalid)
	}
	return r.change(ctx, func(c *conn) error {
		o, err := present(c, op.OrganizationID, op.Change.IfRevision)
		if err != nil {
			return err
		}
		if err := insertOperation(c, op); err != nil {
			return err
		}
		if err := placedAs(o, op); err != nil {
			return err
		}
		return claimFor(c, o, *op.Change)
	})
}

// FinishRename is as app.Lifecycle says.
func (r *Registry) FinishRename(ctx context.Context, op app.Operation, t time.Time) (o app.Organization, err error) {
	var user app.UserID
	err = r.d.write(ctx, func(c *conn) error {
		recorded, err := readOperation(c, op.ID)
		if err != nil {
			return err
		}
		if recorded.State != app.OperationRunning || recorded.Change == nil {
			return errEnded(recorded)
		}
		if o, err = readOrganization(c, op.OrganizationID); err != nil {
			return err
		}
		change := *recorded.Change
		change.At = app.Later(t, o.UpdatedAt)
		if change.User != nil {
			user = change.User.UserID
		}
		if o, err = applyChange(c, o, change); err != nil {
			return err
		}
		_, err = end(c, op.ID, app.OperationCompleted, "", t)
		return err
	})
	if err != nil {
		return o, err
	}
	r.publish(app.Invalidation{Organization: op.OrganizationID})
	if user != "" {
		r.publish(app.Invalidation{User: user})
	}
	return o, nil
}

// AbandonRename is as app.Lifecycle says.
func (r *Registry) AbandonRename(ctx context.Context, op app.Operation, reason string, t time.Time) error {
	return r.change(ctx, func(c *conn) error {
		recorded, err := readOperation(c, op.ID)
		if err != nil {
			return err
		}
		open, err := undone(c, op.ID, reason, t)
		if err != nil || !open {
			return err
		}
		o, err := readOrganization(c, op.OrganizationID)
		if err != nil {
			return err
		}
		if err := settle(c, claimSlug, string(o.ID), o.Slug); err != nil {
			return err
		}
		if err := settle(c, claimExternalID, string(o.ID), o.ExternalID); err != nil {
			return err
		}
		if recorded.Change == nil || recorded.Change.User == nil {
			return nil
		}
		u, err := readUser(c, recorded.Change.User.UserID)
		if notFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		return settle(c, claimEmail, string(u.ID), u.EmailKey)
	})
}
