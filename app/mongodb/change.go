package mongodb

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
)

// ChangeOrganization is as app.Lifecycle says.
func (r *Registry) ChangeOrganization(ctx context.Context, change app.OrganizationChange) (o app.Organization, err error) {
	var ended bson.D
	err = r.change(ctx, func(ctx context.Context, u *unit) error {
		var h organizationHead
		if o, h, err = u.present(ctx, change.OrganizationID, change.IfRevision); err != nil {
			return err
		}
		if err := u.besideOpen(ctx, change); err != nil {
			return err
		}
		if err := u.claimFor(ctx, o, change); err != nil {
			return err
		}
		o, ended, err = u.apply(ctx, o, h, change)
		return err
	})
	if err == nil && ended != nil {
		r.clear(ctx, ended)
	}
	return o, err
}

// besideOpen refuses a change that an open rename of the organization would
// undo: it applies what it was given at its end, whatever was acknowledged
// meanwhile. And it may hold names of its own, which settling others here would
// give away. Recording one changes the organization's version, so none comes in
// between.
func (u *unit) besideOpen(ctx context.Context, change app.OrganizationChange) error {
	d, err := u.openOperation(ctx, string(change.OrganizationID))
	if errors.Is(err, app.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	op, err := d.operation()
	switch {
	case err != nil:
		return err
	case op.Kind == app.OperationRelocate:
		return nil // it changes nothing but the placement
	case change.ExternalID != nil || change.User != nil,
		op.Change != nil && op.Change.Name != nil && change.Name != nil,
		op.Change != nil && op.Change.Metadata != nil && change.Metadata != nil:
		return app.Taken(app.ConflictOpenChange)
	}
	return nil
}

// present reads a visible organization and checks its revision.
func (u *unit) present(ctx context.Context, id app.OrganizationID, ifRevision int64) (app.Organization, organizationHead, error) {
	o, h, err := u.organization(ctx, id)
	switch {
	case err != nil:
	case !o.State.Visible():
		err = app.ErrNotFound
	case ifRevision != app.AnyRevision && ifRevision != o.Revision:
		err = app.ErrStale
	}
	return o, h, err
}

// claimFor takes the new names of a change; the old ones stay.
func (u *unit) claimFor(ctx context.Context, o app.Organization, change app.OrganizationChange) error {
	// Names that are held already must not be claimed blindly: that fails, and
	// costs a second try.
	if change.Slug != nil {
		if err := u.claim(ctx, claimSlug, *change.Slug, string(o.ID), app.ConflictSlug); err != nil {
			return err
		}
	}
	if change.Collection != nil && o.Placement.Isolation == app.IsolationCollection {
		p := o.Placement
		p.Collection = *change.Collection
		if err := u.claim(ctx, claimCollection, collectionClaim(p), string(o.ID), app.ConflictCollection); err != nil {
			return err
		}
	}
	if change.ExternalID != nil && *change.ExternalID != "" {
		if err := u.claim(ctx, claimExternalID, *change.ExternalID, string(o.ID), app.ConflictExternalID); err != nil {
			return err
		}
	}
	if change.User == nil {
		return nil
	}
	if _, err := u.user(ctx, change.User.UserID); err != nil {
		return err
	}
	if change.User.EmailKey == nil {
		return nil
	}
	return u.claim(ctx, claimEmail, *change.User.EmailKey, string(change.User.UserID), app.ConflictEmail)
}

// apply writes a change whose names are claimed, and gives the old ones back.
// It also gives which sessions it ends.
func (u *unit) apply(ctx context.Context, o app.Organization, h organizationHead, change app.OrganizationChange) (app.Organization, bson.D, error) {
	set(&o.Name, change.Name)
	set(&o.NameKey, change.NameKey)
	set(&o.Slug, change.Slug)
	set(&o.ExternalID, change.ExternalID)
	set(&o.State, change.State)
	if change.Collection != nil {
		o.Placement.Collection = *change.Collection
		o.Placement.Generation++
	}
	if change.Metadata != nil {
		o.Metadata = change.Metadata
	}
	o.Revision++
	o.UpdatedAt = change.At
	u.put(organizations, organizationDocOf(o, h))
	u.announce(app.Invalidation{Organization: o.ID})
	if change.Slug != nil {
		if err := u.settle(ctx, claimSlug, string(o.ID), o.Slug); err != nil {
			return o, nil, err
		}
	}
	if change.Collection != nil && o.Placement.Isolation == app.IsolationCollection {
		if err := u.settle(ctx, claimCollection, string(o.ID), collectionClaim(o.Placement)); err != nil {
			return o, nil, err
		}
	}
	if change.ExternalID != nil {
		if err := u.settle(ctx, claimExternalID, string(o.ID), o.ExternalID); err != nil {
			return o, nil, err
		}
	}
	ended, err := u.applyCredentials(ctx, change)
	return o, ended, err
}

func (u *unit) applyCredentials(ctx context.Context, change app.OrganizationChange) (ended bson.D, err error) {
	if change.User == nil {
		return nil, nil
	}
	d, err := u.user(ctx, change.User.UserID)
	if err != nil {
		return nil, err
	}
	if change.User.EmailKey != nil {
		// Taken when the change began, but the user may be a member of two
		// organizations, and a change by way of the other have settled it.
		if err := u.hold(ctx, claimEmail, *change.User.EmailKey, d.ID, app.ConflictEmail); err != nil {
			return nil, err
		}
	}
	set(&d.Email, change.User.Email)
	set(&d.EmailKey, change.User.EmailKey)
	set(&d.PasswordHash, change.User.PasswordHash)
	d.Revision++
	d.UpdatedAt = change.At
	if change.User.PasswordHash != nil {
		d.Epoch++
		ended = bson.D{{Key: "user_id", Value: d.ID}, {Key: "user_epoch", Value: bson.D{{Key: "$lt", Value: d.Epoch}}}}
	}
	u.put(users, d)
	u.announce(app.Invalidation{User: app.UserID(d.ID)})
	if change.User.EmailKey != nil {
		err = u.settle(ctx, claimEmail, d.ID, d.EmailKey)
	}
	return ended, err
}

// set applies a field of a change, if there is one.
func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}
