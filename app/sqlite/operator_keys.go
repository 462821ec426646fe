package sqlite

import (
	"context"
	"time"

	"tenantry/app"
)

const operatorKeyColumns = `id, name, hash, created_at, last_used_at, expires_at, revoked_at`

func scanOperatorKey(row scanner) (app.OperatorKey, error) {
	var k app.OperatorKey
	var used, expires, revoked *int64
	err := row.Scan(&k.ID, &k.Name, &k.Hash, at{&k.CreatedAt}, &used, &expires, &revoked)
	k.LastUsedAt, k.ExpiresAt, k.RevokedAt = instant(used), instant(expires), instant(revoked)
	return k, err
}

func insertOperatorKey(c *conn, k app.OperatorKey) error {
	_, err := c.exec(`INSERT INTO operator_keys (`+operatorKeyColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		k.ID, k.Name, k.Hash, k.CreatedAt.UnixMilli(), millis(k.LastUsedAt), millis(k.ExpiresAt), millis(k.RevokedAt))
	if isTaken(err) {
		return app.Taken(app.ConflictOperatorKey) // id and hash are random
	}
	return err
}

// CreateOperatorKey is as app.OperatorKeys says.
func (r *Registry) CreateOperatorKey(ctx context.Context, k app.OperatorKey) error {
	return r.change(ctx, func(c *conn) error { return insertOperatorKey(c, k) }, app.Invalidation{OperatorKey: k.ID})
}

// CreateFirstOperatorKey is as app.OperatorKeys says.
func (r *Registry) CreateFirstOperatorKey(ctx context.Context, k app.OperatorKey) (created bool, err error) {
	err = r.change(ctx, func(c *conn) error {
		var n int
		if err := c.queryRow(`SELECT count(*) FROM operator_keys`).Scan(&n); err != nil {
			return err
		}
		if created = n == 0; !created {
			return nil
		}
		return insertOperatorKey(c, k)
	}, app.Invalidation{OperatorKey: k.ID})
	return created && err == nil, err
}

// OperatorKeyByHash is as app.OperatorKeys says.
func (r *Registry) OperatorKeyByHash(ctx context.Context, hash []byte) (k app.OperatorKey, err error) {
	err = r.d.read(ctx, func(c *conn) error {
		k, err = scanOperatorKey(c.queryRow("SELECT "+operatorKeyColumns+" FROM operator_keys WHERE hash = ?", hash))
		return err
	})
	return k, err
}

// ListOperatorKeys is as app.OperatorKeys says.
func (r *Registry) ListOperatorKeys(ctx context.Context) ([]app.OperatorKey, error) {
	var list []app.OperatorKey
	err := r.d.read(ctx, func(c *conn) error {
		return c.query(func(row scanner) error {
			k, err := scanOperatorKey(row)
			list = append(list, k)
			return err
		}, "SELECT "+operatorKeyColumns+" FROM operator_keys ORDER BY id")
	})
	return list, err
}

// RevokeOperatorKey is as app.OperatorKeys says.
func (r *Registry) RevokeOperatorKey(ctx context.Context, id app.OperatorKeyID, t time.Time) (k app.OperatorKey, err error) {
	err = r.change(ctx, func(c *conn) error {
		if _, err := c.exec(`UPDATE operator_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?`, t.UnixMilli(), id); err != nil {
			return err
		}
		k, err = scanOperatorKey(c.queryRow("SELECT "+operatorKeyColumns+" FROM operator_keys WHERE id = ?", id))
		return err
	}, app.Invalidation{OperatorKey: id})
	return k, err
}

// TouchOperatorKeys is as app.OperatorKeys says.
func (r *Registry) TouchOperatorKeys(ctx context.Context, used map[app.OperatorKeyID]time.Time) error {
	return r.d.write(ctx, func(c *conn) error {
		for id, t := range used {
			if _, err := c.exec(`UPDATE operator_keys SET last_used_at = ? WHERE id = ?`, t.UnixMilli(), id); err != nil {
				return err
			}
		}
		return nil
	})
}
