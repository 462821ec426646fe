package sqlite

import "tenantry/app"

// The kinds of claims.
const (
	claimSlug       = "slug"
	claimExternalID = "external_id"
	claimEmail      = "email"
)

// claim takes a name for its owner, who may hold it already. Somebody else's
// is a TakenError of the field.
func claim(c *conn, kind, value, owner string, field app.ConflictField) error {
	n, err := c.exec(`INSERT INTO claims (kind, value, owner) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET owner = owner WHERE owner = excluded.owner`, kind, value, owner)
	if err != nil {
		return err
	}
	if n == 0 {
		return app.Taken(field)
	}
	return nil
}

// settle gives back what the owner holds of a kind beside the one value that
// is in force.
func settle(c *conn, kind, owner, inForce string) error {
	_, err := c.exec(`DELETE FROM claims WHERE owner = ? AND kind = ? AND value <> ?`, owner, kind, inForce)
	return err
}

// release gives back all that the owner holds.
func release(c *conn, owner string) error {
	_, err := c.exec(`DELETE FROM claims WHERE owner = ?`, owner)
	return err
}
