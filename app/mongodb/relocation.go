package mongodb

import (
	"context"
	"fmt"
	"time"

	"tenantry/app"
)

// BeginRelocation is as app.Relocations says.
func (r *Registry) BeginRelocation(ctx context.Context, op app.Operation) error {
	if op.Relocation == nil {
		return fmt.Errorf("relocation without a target: %w", app.ErrInvalid)
	}
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		o, h, err := u.present(ctx, op.OrganizationID, app.AnyRevision)
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
		// Whoever changes the placement must not miss that it is being changed.
		u.pin(organizations, organizationDocOf(o, h))
		return placedAs(o, op)
	})
}

// placedAs refuses an operation that was made from another placement than the
// organization has: what it drops or renames would be the wrong one.
func placedAs(o app.Organization, op app.Operation) error {
	if o.Placement != op.Placement {
		return app.ErrStale
	}
	return nil
}

// NoteRelocation is as app.Relocations says.
func (r *Registry) NoteRelocation(ctx context.Context, op app.Operation, from int64, t time.Time) (now app.Operation, err error) {
	err = r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.operation(ctx, op.ID)
		if err != nil {
			return err
		}
		recorded, err := d.operation()
		if err != nil {
			return err
		}
		if !recorded.State.Open() || recorded.Relocation == nil || recorded.Relocation.Generation != from ||
			recorded.Relocation.Flips != op.Relocation.Flips {
			return app.ErrStale
		}
		reason := op.Error
		if recorded.State.Undoing() {
			reason = recorded.Error // why it is being undone
		}
		if err := u.noteRelocation(d, op, reason, t); err != nil {
			return err
		}
		now, err = d.operation()
		return err
	})
	return now, err
}

func (u *unit) noteRelocation(d *operationDoc, op app.Operation, reason string, t time.Time) (err error) {
	if d.Relocation, err = jsonOf(op.Relocation); err != nil {
		return err
	}
	d.Step, d.Error, d.Attempts, d.DueAt, d.UpdatedAt = op.Step, reason, op.Attempts, moment(op.DueAt), t
	u.put(operations, d)
	return nil
}

// FlipRelocation is as app.Relocations says.
func (r *Registry) FlipRelocation(ctx context.Context, op app.Operation, t time.Time) (o app.Organization, err error) {
	err = r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.operation(ctx, op.ID)
		if err != nil {
			return err
		}
		recorded, err := d.operation()
		switch {
		case err != nil:
			return err
		case recorded.State != app.OperationRunning:
			return errEnded(d)
		case recorded.Relocation == nil, recorded.Relocation.Generation != op.Relocation.Generation,
			recorded.Relocation.Flips+1 != op.Relocation.Flips:
			return app.ErrStale
		}
		var h organizationHead
		if o, h, err = u.organization(ctx, op.OrganizationID); err != nil {
			return err
		}
		o.Placement = op.Relocation.Place()
		o.Revision++
		o.UpdatedAt = app.Later(t, o.UpdatedAt)
		if err := u.place(ctx, o, h); err != nil {
			return err
		}
		return u.noteRelocation(d, op, op.Error, t)
	})
	return o, err
}

// place writes where an organization is, with the claim to its collection.
func (u *unit) place(ctx context.Context, o app.Organization, h organizationHead) error {
	u.put(organizations, organizationDocOf(o, h))
	u.announce(app.Invalidation{Organization: o.ID})
	inForce := ""
	if o.Placement.Isolation == app.IsolationCollection {
		inForce = collectionClaim(o.Placement)
		if err := u.hold(ctx, claimCollection, inForce, string(o.ID), app.ConflictCollection); err != nil {
			return err
		}
	}
	return u.settle(ctx, claimCollection, string(o.ID), inForce)
}

// EndRelocation is as app.Relocations says.
func (r *Registry) EndRelocation(ctx context.Context, op app.Operation, state app.OperationState, reason string, t time.Time) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.operation(ctx, op.ID)
		if err != nil {
			return err
		}
		recorded, err := d.operation()
		switch {
		case err != nil:
			return err
		case recorded.State == state:
			return nil
		case !recorded.State.Open():
			return errEnded(d)
		case recorded.Relocation == nil, recorded.Relocation.Generation != op.Relocation.Generation,
			recorded.Relocation.Flips != op.Relocation.Flips:
			return app.ErrStale
		}
		if d.Relocation, err = jsonOf(op.Relocation); err != nil {
			return err
		}
		d.Step, d.Attempts, d.DueAt = op.Step, op.Attempts, moment(op.DueAt)
		u.end(d, state, reason, t)
		o, h, err := u.organization(ctx, op.OrganizationID)
		if err != nil {
			return err
		}
		o.Placement.Generation = op.Relocation.Generation
		u.put(organizations, organizationDocOf(o, h))
		u.announce(app.Invalidation{Organization: o.ID})
		return nil
	})
}
