package sqlite

import (
	"context"
	"time"

	"tenantry/app"
)

// BeginCreate is as app.Lifecycle says.
func (r *Registry) BeginCreate(ctx context.Context, op app.Operation, n app.Creation) error {
	org, m := n.Organization, n.Membership
	return r.change(ctx, func(c *conn) error {
		if n.Repetition != nil {
			if err := insertRepetition(c, *n.Repetition, op.CreatedAt); err != nil {
				return err
			}
		}
		if err := insertOrganization(c, org); err != nil {
			return err
		}
		if n.Owner != nil {
			if err := insertUser(c, *n.Owner); err != nil {
				return err
			}
		} else if _, err := readUser(c, m.UserID); err != nil {
			return err
		}
		if err := insertMembership(c, m); err != nil {
			return err
		}
		return insertOperation(c, op)
	}, app.Invalidation{Organization: org.ID, User: m.UserID})
}

// CheckCreate is as app.Lifecycle says.
func (r *Registry) CheckCreate(ctx context.Context, n app.Creation, t time.Time) error {
	return r.d.snapshot(ctx, func(c *conn) error {
		org, p := n.Organization, n.Organization.Placement
		var err error
		refuse := func(field app.ConflictField, query string, args ...any) {
			var one int
			if err == nil {
				err = c.queryRow(query, args...).Scan(&one)
			}
			switch {
			case notFound(err):
				err = nil
			case err == nil:
				err = app.Taken(field)
			}
		}
		const another = `SELECT 1 FROM claims WHERE kind = ? AND value = ? AND owner <> ?`
		if n.Repetition != nil {
			refuse(app.ConflictRepetition, `SELECT 1 FROM repetitions WHERE key = ? AND expires_at > ?`, n.Repetition.Key, t.UnixMilli())
		}
		refuse(app.ConflictSlug, another, claimSlug, org.Slug, org.ID)
		refuse(app.ConflictExternalID, another, claimExternalID, org.ExternalID, org.ID)
		refuse(app.ConflictCollection, `SELECT 1 FROM organizations WHERE isolation = 'collection' AND isolation = ?
			AND cluster = ? AND "database" = ? AND collection = ? AND id <> ?`, p.Isolation, p.Cluster, p.Database, p.Collection, org.ID)
		if n.Owner != nil {
			refuse(app.ConflictEmail, another, claimEmail, n.Owner.EmailKey, n.Owner.ID)
		}
		return err
	})
}

func insertOrganization(c *conn, o app.Organization) error {
	if err := claim(c, claimSlug, o.Slug, string(o.ID), app.ConflictSlug); err != nil {
		return err
	}
	if o.ExternalID != "" {
		if err := claim(c, claimExternalID, o.ExternalID, string(o.ID), app.ConflictExternalID); err != nil {
			return err
		}
	}
	err := writeOrganization(c, o)
	if isTaken(err) {
		// The slug was free: it is the collection that somebody has.
		return app.Taken(app.ConflictCollection)
	}
	return err
}

// writeOrganization inserts it alone; its names are claimed elsewhere.
func writeOrganization(c *conn, o app.Organization) error {
	metadata, err := metadataText(o.Metadata)
	if err != nil {
		return err
	}
	_, err = c.exec(`INSERT INTO organizations (`+organizationColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		o.ID, o.Name, o.NameKey, o.Slug, o.ExternalID, metadata, o.State,
		o.Placement.Cluster, o.Placement.Isolation, o.Placement.Database, o.Placement.Collection,
		o.Placement.Generation, o.OwnerID, o.Revision, o.CreatedAt.UnixMilli(), o.UpdatedAt.UnixMilli())
	return err
}

func insertUser(c *conn, u app.User) error {
	if err := claim(c, claimEmail, u.EmailKey, string(u.ID), app.ConflictEmail); err != nil {
		return err
	}
	return writeUser(c, u)
}

// writeUser inserts one alone; the email is claimed elsewhere.
func writeUser(c *conn, u app.User) error {
	_, err := c.exec(`INSERT INTO users (`+userColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		u.ID, u.Email, u.EmailKey, u.Name, u.PasswordHash, u.Revision, u.CreatedAt.UnixMilli(), u.UpdatedAt.UnixMilli())
	return err
}

// FinishCreate is as app.Lifecycle says.
func (r *Registry) FinishCreate(ctx context.Context, op app.Operation, t time.Time) (o app.Organization, err error) {
	err = r.change(ctx, func(c *conn) error {
		if err := stillRunning(c, op.ID); err != nil {
			return err
		}
		if _, err := end(c, op.ID, app.OperationCompleted, "", t); err != nil {
			return err
		}
		n, err := c.exec(`UPDATE organizations SET state = 'active' WHERE id = ? AND state = 'creating'`, op.OrganizationID)
		if err != nil {
			return err
		}
		if n == 0 {
			return app.ErrNotFound
		}
		o, err = readOrganization(c, op.OrganizationID)
		return err
	}, app.Invalidation{Organization: op.OrganizationID})
	return o, err
}

// stillRunning refuses to finish what is being undone or has ended.
func stillRunning(c *conn, id app.OperationID) error {
	op, err := readOperation(c, id)
	if err != nil {
		return err
	}
	if op.State != app.OperationRunning {
		return errEnded(op)
	}
	return nil
}

// AbandonCreate is as app.Lifecycle says.
func (r *Registry) AbandonCreate(ctx context.Context, op app.Operation, reason string, t time.Time) error {
	return r.change(ctx, func(c *conn) error {
		open, err := undone(c, op.ID, reason, t)
		if err != nil || !open {
			return err
		}
		if _, err := c.exec(`DELETE FROM repetitions WHERE organization_id = ?`, op.OrganizationID); err != nil {
			return err
		}
		return removeOrganization(c, op.OrganizationID)
	}, app.Invalidation{Organization: op.OrganizationID})
}

// endedAs accepts an operation that has ended so already.
func endedAs(c *conn, id app.OperationID, state app.OperationState) error {
	op, err := readOperation(c, id)
	if err != nil {
		return err
	}
	if op.State != state {
		return errEnded(op)
	}
	return nil
}

// removeOrganization removes it with its memberships, its sessions, its names,
// and the users who are members of nothing else.
func removeOrganization(c *conn, id app.OrganizationID) error {
	var members []app.UserID
	err := c.query(func(row scanner) error {
		var u app.UserID
		err := row.Scan(&u)
		members = append(members, u)
		return err
	}, `SELECT user_id FROM memberships WHERE organization_id = ?`, id)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM sessions WHERE organization_id = ?`,
		`DELETE FROM memberships WHERE organization_id = ?`,
		`DELETE FROM organizations WHERE id = ?`,
	} {
		if _, err := c.exec(statement, id); err != nil {
			return err
		}
	}
	if err := release(c, string(id)); err != nil {
		return err
	}
	for _, user := range members {
		var elsewhere int
		err := c.queryRow(`SELECT 1 FROM memberships WHERE user_id = ? LIMIT 1`, user).Scan(&elsewhere)
		if err == nil {
			continue
		}
		if !notFound(err) {
			return err
		}
		if _, err := c.exec(`DELETE FROM sessions WHERE user_id = ?`, user); err != nil {
			return err
		}
		if _, err := c.exec(`DELETE FROM users WHERE id = ?`, user); err != nil {
			return err
		}
		if err := release(c, string(user)); err != nil {
			return err
		}
	}
	return nil
}
