package mongodb

import (
	"context"
	"encoding/json"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
)

type repetitionDoc struct {
	Header         `bson:",inline"`
	Fingerprint    []byte    `bson:"fingerprint"`
	ExpiresAt      time.Time `bson:"expires_at"`
	OrganizationID string    `bson:"organization_id"`
	Answer         string    `bson:"answer"` // JSON
}

// repeat records a key, in the place of one that has expired.
func (u *unit) repeat(ctx context.Context, r app.Repetition, now time.Time) error {
	answer, err := json.Marshal(r.Organization)
	if err != nil {
		return err
	}
	d := repetitionDoc{Header: Header{ID: r.Key}}
	if !u.blind {
		there, err := u.get(ctx, repetitions, r.Key, &d)
		if err != nil {
			return err
		}
		if there && d.ExpiresAt.After(now) {
			return app.Taken(app.ConflictRepetition)
		}
	}
	d.Fingerprint, d.ExpiresAt, d.OrganizationID, d.Answer = r.Fingerprint, r.ExpiresAt, string(r.Organization.ID), string(answer)
	u.put(repetitions, &d)
	return nil
}

// Repetition is as app.Repetitions says.
func (r *Registry) Repetition(ctx context.Context, key string) (app.Repetition, error) {
	out := app.Repetition{Key: key}
	d, err := one[repetitionDoc](ctx, r, repetitions, byID(key))
	if err != nil {
		return out, err
	}
	out.Fingerprint, out.ExpiresAt = d.Fingerprint, d.ExpiresAt.UTC()
	return out, json.Unmarshal([]byte(d.Answer), &out.Organization)
}

// PruneRepetitions is as app.Repetitions says.
func (r *Registry) PruneRepetitions(ctx context.Context, before time.Time) (int, error) {
	return r.prune(ctx, repetitions, bson.D{{Key: "expires_at", Value: bson.D{{Key: "$lt", Value: before}}}})
}
