package sqlite

import (
	"context"

	"tenantry/app"
)

const userColumns = `id, email, email_key, name, password_hash, revision, created_at, updated_at`

func scanUser(row scanner) (app.User, error) {
	var u app.User
	err := row.Scan(&u.ID, &u.Email, &u.EmailKey, &u.Name, &u.PasswordHash, &u.Revision, at{&u.CreatedAt}, at{&u.UpdatedAt})
	return u, err
}

func readUser(c *conn, id app.UserID) (app.User, error) {
	return scanUser(c.queryRow("SELECT "+userColumns+" FROM users WHERE id = ?", id))
}

// User is as app.Users says.
func (r *Registry) User(ctx context.Context, id app.UserID) (u app.User, err error) {
	err = r.d.read(ctx, func(c *conn) error {
		u, err = readUser(c, id)
		return err
	})
	return u, err
}

// UserByEmail is as app.Users says.
func (r *Registry) UserByEmail(ctx context.Context, emailKey string) (u app.User, err error) {
	err = r.d.read(ctx, func(c *conn) error {
		u, err = readUserByEmail(c, emailKey)
		return err
	})
	return u, err
}

func readUserByEmail(c *conn, emailKey string) (app.User, error) {
	return scanUser(c.queryRow("SELECT "+userColumns+" FROM users WHERE email_key = ?", emailKey))
}

// ReplacePasswordHash is as app.Users says.
func (r *Registry) ReplacePasswordHash(ctx context.Context, id app.UserID, old, hash string) error {
	return r.change(ctx, func(c *conn) error {
		_, err := c.exec(`UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?`, hash, id, old)
		return err
	}, app.Invalidation{User: id})
}

// Memberships is as app.Users says.
func (r *Registry) Memberships(ctx context.Context, user app.UserID) ([]app.Membership, error) {
	var list []app.Membership
	err := r.d.read(ctx, func(c *conn) error {
		return c.query(func(row scanner) error {
			m, err := scanMembership(row)
			list = append(list, m)
			return err
		}, `SELECT m.organization_id, m.user_id, m.role, m.created_at
			FROM memberships m JOIN organizations o ON o.id = m.organization_id
			WHERE m.user_id = ? AND o.state IN ('active', 'suspended')
			ORDER BY m.created_at, m.organization_id`, user)
	})
	return list, err
}

// Membership is as app.Users says.
func (r *Registry) Membership(ctx context.Context, org app.OrganizationID, user app.UserID) (m app.Membership, err error) {
	err = r.d.read(ctx, func(c *conn) error {
		m, err = readMembership(c, org, user)
		return err
	})
	return m, err
}

const membershipColumns = `organization_id, user_id, role, created_at`

func readMembership(c *conn, org app.OrganizationID, user app.UserID) (app.Membership, error) {
	return scanMembership(c.queryRow(`SELECT `+membershipColumns+` FROM memberships
		WHERE organization_id = ? AND user_id = ?`, org, user))
}

func scanMembership(row scanner) (app.Membership, error) {
	var m app.Membership
	err := row.Scan(&m.OrganizationID, &m.UserID, &m.Role, at{&m.CreatedAt})
	return m, err
}

func insertMembership(c *conn, m app.Membership) error {
	_, err := c.exec(`INSERT INTO memberships (`+membershipColumns+`) VALUES (?, ?, ?, ?)`,
		m.OrganizationID, m.UserID, m.Role, m.CreatedAt.UnixMilli())
	return err
}
