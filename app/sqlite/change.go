package sqlite

import (
	"context"

	"tenantry/app"
)

// ChangeOrganization is as app.Lifecycle says.
func (r *Registry) ChangeOrganization(ctx context.Context, change app.OrganizationChange) (o app.Organization, err error) {
	err = r.change(ctx, func(c *conn) error {
		if o, err = present(c, change.OrganizationID, change.IfRevision); err != nil {
			return err
		}
		if err := besideOpen(c, change); err != nil {
			return err
		}
		if err := claimFor(c, o, change); err != nil {
			return err
		}
		o, err = applyChange(c, o, change)
		return err
	}, changed(change)...)
	return o, err
}

func changed(change app.OrganizationChange) []app.Invalidation {
	list := []app.Invalidation{{Organization: change.OrganizationID}}
	if change.User != nil {
		list = append(list, app.Invalidation{User: change.User.UserID})
	}
	return list
}

// present reads a visible organization and checks its revision.
func present(c *conn, id app.OrganizationID, ifRevision int64) (app.Organization, error) {
	o, err := readOrganization(c, id)
	switch {
	case err != nil:
		return o, err
	case !o.State.Visible():
		return o, app.ErrNotFound
	case ifRevision != app.AnyRevision && ifRevision != o.Revision:
		return o, app.ErrStale
	}
	return o, nil
}

// besideOpen refuses a change that an open rename of the organization would
// undo: it applies what it was given at its end, whatever was acknowledged
// meanwhile. And it may hold names of its own, which settling others here would
// give away.
func besideOpen(c *conn, change app.OrganizationChange) error {
	op, err := scanOperation(c.queryRow("SELECT "+operationColumns+" FROM operations WHERE organization_id = ? AND "+stateOpen,
		change.OrganizationID))
	switch {
	case notFound(err):
		return nil
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

// claimFor takes the new names of a change; the old ones stay.
func claimFor(c *conn, o app.Organization, change app.OrganizationChange) error {
	if change.Slug != nil {
		if err := claim(c, claimSlug, *change.Slug, string(o.ID), app.ConflictSlug); err != nil {
			return err
		}
	}
	if change.ExternalID != nil && *change.ExternalID != "" {
		if err := claim(c, claimExternalID, *change.ExternalID, string(o.ID), app.ConflictExternalID); err != nil {
			return err
		}
	}
	if u := change.User; u != nil {
		if _, err := readUser(c, u.UserID); err != nil {
			return err
		}
		if u.EmailKey != nil {
			return claim(c, claimEmail, *u.EmailKey, string(u.UserID), app.ConflictEmail)
		}
	}
	return nil
}

// applyChange writes a change whose names are claimed, and gives the old ones
// back.
func applyChange(c *conn, o app.Organization, change app.OrganizationChange) (app.Organization, error) {
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
	metadata, err := metadataText(o.Metadata)
	if err != nil {
		return o, err
	}
	_, err = c.exec(`UPDATE organizations SET name = ?, name_key = ?, slug = ?, external_id = ?, metadata = ?, state = ?,
		collection = ?, generation = ?, revision = ?, updated_at = ? WHERE id = ?`,
		o.Name, o.NameKey, o.Slug, o.ExternalID, metadata, o.State,
		o.Placement.Collection, o.Placement.Generation, o.Revision, o.UpdatedAt.UnixMilli(), o.ID)
	if isTaken(err) {
		return o, app.Taken(app.ConflictCollection)
	}
	if err != nil {
		return o, err
	}
	if change.Slug != nil {
		if err := settle(c, claimSlug, string(o.ID), o.Slug); err != nil {
			return o, err
		}
	}
	if change.ExternalID != nil {
		if err := settle(c, claimExternalID, string(o.ID), o.ExternalID); err != nil {
			return o, err
		}
	}
	return o, applyCredentials(c, change)
}

func applyCredentials(c *conn, change app.OrganizationChange) error {
	if change.User == nil {
		return nil
	}
	u, err := readUser(c, change.User.UserID)
	if err != nil {
		return err
	}
	if change.User.EmailKey != nil {
		// Taken when the change began, but the user may be a member of two
		// organizations, and a change by way of the other have settled it.
		if err := claim(c, claimEmail, *change.User.EmailKey, string(u.ID), app.ConflictEmail); err != nil {
			return err
		}
	}
	set(&u.Email, change.User.Email)
	set(&u.EmailKey, change.User.EmailKey)
	set(&u.PasswordHash, change.User.PasswordHash)
	_, err = c.exec(`UPDATE users SET email = ?, email_key = ?, password_hash = ?, revision = revision + 1, updated_at = ? WHERE id = ?`,
		u.Email, u.EmailKey, u.PasswordHash, change.At.UnixMilli(), u.ID)
	if isTaken(err) {
		return app.Taken(app.ConflictEmail)
	}
	if err != nil {
		return err
	}
	if change.User.EmailKey != nil {
		if err := settle(c, claimEmail, string(u.ID), u.EmailKey); err != nil {
			return err
		}
	}
	if change.User.PasswordHash != nil {
		_, err = c.exec(`DELETE FROM sessions WHERE user_id = ?`, u.ID)
	}
	return err
}

// set applies a field of a change, if there is one.
func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}
