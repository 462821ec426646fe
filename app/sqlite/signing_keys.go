package sqlite

import (
	"context"
	"time"

	"tenantry/app"
)

const signingKeyColumns = `id, public, sealed, created_at, retired_at`

func scanSigningKey(row scanner) (app.SigningKey, error) {
	var k app.SigningKey
	var retired *int64
	err := row.Scan(&k.ID, &k.Public, &k.Sealed, at{&k.CreatedAt}, &retired)
	k.RetiredAt = instant(retired)
	return k, err
}

func insertSigningKey(c *conn, k app.SigningKey) error {
	_, err := c.exec(`INSERT INTO signing_keys (`+signingKeyColumns+`) VALUES (?, ?, ?, ?, ?)`,
		k.ID, k.Public, k.Sealed, k.CreatedAt.UnixMilli(), millis(k.RetiredAt))
	return err
}

// SigningKeys is as app.SigningKeys says.
func (r *Registry) SigningKeys(ctx context.Context) ([]app.SigningKey, error) {
	var list []app.SigningKey
	err := r.d.read(ctx, func(c *conn) error {
		return c.query(func(row scanner) error {
			k, err := scanSigningKey(row)
			list = append(list, k)
			return err
		}, `SELECT `+signingKeyColumns+` FROM signing_keys ORDER BY created_at DESC, retired_at IS NOT NULL, id`)
	})
	return list, err
}

// AddSigningKey is as app.SigningKeys says.
func (r *Registry) AddSigningKey(ctx context.Context, k app.SigningKey, current string) error {
	return r.d.write(ctx, func(c *conn) error {
		signing := ""
		err := c.queryRow(`SELECT id FROM signing_keys WHERE retired_at IS NULL`).Scan(&signing)
		if err != nil && !notFound(err) {
			return err
		}
		if signing != current {
			return app.ErrStale
		}
		if _, err := c.exec(`UPDATE signing_keys SET retired_at = ? WHERE retired_at IS NULL`, k.CreatedAt.UnixMilli()); err != nil {
			return err
		}
		return insertSigningKey(c, k)
	})
}

// RemoveSigningKeys is as app.SigningKeys says.
func (r *Registry) RemoveSigningKeys(ctx context.Context, before time.Time) error {
	_, err := r.prune(ctx, `DELETE FROM signing_keys WHERE retired_at < ?`, before)
	return err
}
