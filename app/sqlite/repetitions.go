package sqlite

import (
	"context"
	"encoding/json"
	"time"

	"tenantry/app"
)

// insertRepetition records a key, in the place of one that has expired.
func insertRepetition(c *conn, r app.Repetition, now time.Time) error {
	answer, err := json.Marshal(r.Organization)
	if err != nil {
		return err
	}
	n, err := c.exec(`INSERT INTO repetitions (`+repetitionColumns+`) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET fingerprint = excluded.fingerprint, expires_at = excluded.expires_at,
			organization_id = excluded.organization_id, answer = excluded.answer WHERE expires_at <= ?`,
		r.Key, r.Fingerprint, r.ExpiresAt.UnixMilli(), r.Organization.ID, string(answer), now.UnixMilli())
	if err != nil {
		return err
	}
	if n == 0 {
		return app.Taken(app.ConflictRepetition)
	}
	return nil
}

// Repetition is as app.Repetitions says.
func (r *Registry) Repetition(ctx context.Context, key string) (app.Repetition, error) {
	var out app.Repetition
	err := r.d.read(ctx, func(c *conn) (err error) {
		out, err = scanRepetition(c.queryRow(`SELECT `+repetitionColumns+` FROM repetitions WHERE key = ?`, key))
		return err
	})
	return out, err
}

// PruneRepetitions is as app.Repetitions says.
func (r *Registry) PruneRepetitions(ctx context.Context, before time.Time) (int, error) {
	return r.prune(ctx, `DELETE FROM repetitions WHERE expires_at < ?`, before)
}
