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

func repetitionDocOf(r app.Repetition) (*repetitionDoc, error) {
	answer, err := json.Marshal(r.Organization)
	return &repetitionDoc{Header: Header{ID: r.Key}, Fingerprint: r.Fingerprint, ExpiresAt: r.ExpiresAt,
		OrganizationID: string(r.Organization.ID), Answer: string(answer)}, err
}

func (d repetitionDoc) repetition() (app.Repetition, error) {
	out := app.Repetition{Key: d.ID, Fingerprint: d.Fingerprint, ExpiresAt: d.ExpiresAt.UTC()}
	return out, json.Unmarshal([]byte(d.Answer), &out.Organization)
}

// repeat records a key, in the place of one that has expired.
func (u *unit) repeat(ctx context.Context, r app.Repetition, at time.Time) error {
	d, err := repetitionDocOf(r)
	if err != nil {
		return err
	}
	if !u.blind {
		var now repetitionDoc
		there, err := u.get(ctx, repetitions, r.Key, &now)
		if err != nil {
			return err
		}
		if there && now.ExpiresAt.After(at) {
			return app.Taken(app.ConflictRepetition)
		}
		d.Header = now.Header
	}
	u.put(repetitions, d)
	return nil
}

// Repetition is as app.Repetitions says.
func (r *Registry) Repetition(ctx context.Context, key string) (app.Repetition, error) {
	d, err := one[repetitionDoc](ctx, r, repetitions, byID(key))
	if err != nil {
		return app.Repetition{}, err
	}
	return d.repetition()
}

// PruneRepetitions is as app.Repetitions says.
func (r *Registry) PruneRepetitions(ctx context.Context, before time.Time) (int, error) {
	return r.prune(ctx, repetitions, bson.D{{Key: "expires_at", Value: bson.D{{Key: "$lt", Value: before}}}})
}
