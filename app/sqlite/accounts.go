package sqlite

import (
	"context"

	"tenantry/app"
)

// Account is as app.Users says.
func (r *Registry) Account(ctx context.Context, q app.AccountQuery) (a app.Account, err error) {
	err = r.d.snapshot(ctx, func(c *conn) error {
		a = app.Account{}
		if a.User, err = readUserByEmail(c, q.EmailKey); err != nil {
			return err
		}
		there, args := "", []any{a.User.ID, q.Limit}
		switch {
		case app.IsID(q.Organization):
			there, args = " AND organization_id = ?3", append(args, q.Organization)
		case q.Organization != "":
			there, args = " AND organization_id = (SELECT id FROM organizations WHERE slug = ?3)", append(args, q.Organization)
		}
		return c.query(func(row scanner) error {
			var p app.Place
			var err error
			p.Organization, err = scanOrganization(after{row, []any{&p.Role}})
			p.Proof.PasswordHash = a.User.PasswordHash
			a.Places = append(a.Places, p)
			return err
		}, `SELECT role, `+organizationColumns+`
			FROM (SELECT organization_id, role, created_at AS since FROM memberships WHERE user_id = ?1`+there+`)
			JOIN organizations ON id = organization_id
			WHERE state IN ('active', 'suspended') ORDER BY since, id LIMIT ?2`, args...)
	})
	if err != nil {
		return app.Account{}, err
	}
	return a, nil
}

// after scans a row that has some columns before those that are asked for.
type after struct {
	row   scanner
	first []any
}

func (a after) Scan(dest ...any) error { return a.row.Scan(append(a.first, dest...)...) }
