package sqlite

import (
	"bytes"
	"context"
	"time"

	"tenantry/app"
)

const sessionColumns = `id, user_id, organization_id, refresh_hash, previous_hash, created_at, last_used_at, expires_at`

func readSession(c *conn, id app.SessionID) (app.Session, error) {
	return scanSession(c.queryRow("SELECT "+sessionColumns+" FROM sessions WHERE id = ?", id))
}

func scanSession(row scanner) (s app.Session, err error) {
	err = row.Scan(&s.ID, &s.UserID, &s.OrganizationID, &s.RefreshHash, &s.PreviousHash,
		at{&s.CreatedAt}, at{&s.LastUsedAt}, at{&s.ExpiresAt})
	return s, err
}

func insertSession(c *conn, s app.Session) error {
	_, err := c.exec(`INSERT INTO sessions (`+sessionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		s.ID, s.UserID, s.OrganizationID, s.RefreshHash, s.PreviousHash,
		s.CreatedAt.UnixMilli(), s.LastUsedAt.UnixMilli(), s.ExpiresAt.UnixMilli())
	return err
}

// CreateSession is as app.Sessions says.
func (r *Registry) CreateSession(ctx context.Context, s app.Session, p app.Proof) error {
	return r.change(ctx, func(c *conn) error {
		var one int
		err := c.queryRow(`SELECT 1 FROM users u
			JOIN memberships m ON m.user_id = u.id AND m.organization_id = ?
			JOIN organizations o ON o.id = m.organization_id AND o.state IN ('active', 'suspended')
			WHERE u.id = ? AND u.password_hash = ?`, s.OrganizationID, s.UserID, p.PasswordHash).Scan(&one)
		if notFound(err) {
			return app.ErrUnauthenticated
		}
		if err != nil {
			return err
		}
		return insertSession(c, s)
	}, app.Invalidation{Session: s.ID})
}

// Session is as app.Sessions says.
func (r *Registry) Session(ctx context.Context, id app.SessionID) (s app.SignedIn, err error) {
	err = r.d.snapshot(ctx, func(c *conn) error {
		if s.Session, err = readSession(c, id); err != nil {
			return err
		}
		if s.Organization, err = readOrganization(c, s.OrganizationID); err == nil && !s.Organization.State.Visible() {
			err = app.ErrNotFound
		}
		if err != nil {
			return err
		}
		m, err := readMembership(c, s.OrganizationID, s.UserID)
		s.Role = m.Role
		return err
	})
	if err != nil {
		return app.SignedIn{}, err
	}
	return s, nil
}

// RotateSession is as app.Sessions says.
func (r *Registry) RotateSession(ctx context.Context, id app.SessionID, old, hash []byte, t, expires time.Time) error {
	return r.change(ctx, func(c *conn) error {
		s, err := readSession(c, id)
		if err != nil {
			return err
		}
		if !bytes.Equal(s.RefreshHash, old) {
			return app.ErrStale
		}
		_, err = c.exec(`UPDATE sessions SET refresh_hash = ?, previous_hash = ?, last_used_at = ?, expires_at = ? WHERE id = ?`,
			hash, old, t.UnixMilli(), expires.UnixMilli(), id)
		return err
	}, app.Invalidation{Session: id})
}

// DeleteSession is as app.Sessions says.
func (r *Registry) DeleteSession(ctx context.Context, id app.SessionID) error {
	return r.change(ctx, func(c *conn) error {
		_, err := c.exec(`DELETE FROM sessions WHERE id = ?`, id)
		return err
	}, app.Invalidation{Session: id})
}

// PruneSessions is as app.Sessions says.
func (r *Registry) PruneSessions(ctx context.Context, before time.Time) (int, error) {
	return r.prune(ctx, `DELETE FROM sessions WHERE expires_at < ?`, before)
}
