package mongodb

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
)

type signingKeyDoc struct {
	Header `bson:",inline"`
	Public []byte `bson:"public"`
	Sealed []byte `bson:"sealed"`
	// Current is set on the one that signs, and the index is on it.
	Current   bool       `bson:"current"`
	CreatedAt time.Time  `bson:"created_at"`
	RetiredAt *time.Time `bson:"retired_at"`
}

func signingKeyDocOf(k app.SigningKey) *signingKeyDoc {
	return &signingKeyDoc{Header: Header{ID: k.ID}, Public: k.Public, Sealed: k.Sealed,
		Current: k.RetiredAt.IsZero(), CreatedAt: k.CreatedAt, RetiredAt: moment(k.RetiredAt)}
}

func (d signingKeyDoc) key() app.SigningKey {
	return app.SigningKey{ID: d.ID, Public: d.Public, Sealed: d.Sealed, CreatedAt: d.CreatedAt.UTC(), RetiredAt: instant(d.RetiredAt)}
}

// SigningKeys is as app.SigningKeys says.
func (r *Registry) SigningKeys(ctx context.Context) ([]app.SigningKey, error) {
	docs, err := find[signingKeyDoc](ctx, r, signingKeys, bson.D{present})
	if err != nil {
		return nil, r.translate(err)
	}
	var list []app.SigningKey
	for _, d := range docs {
		list = append(list, d.key())
	}
	slices.SortFunc(list, func(a, b app.SigningKey) int {
		if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
			return c
		}
		if a.RetiredAt.IsZero() != b.RetiredAt.IsZero() {
			if a.RetiredAt.IsZero() {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return list, nil
}

// AddSigningKey is as app.SigningKeys says.
func (r *Registry) AddSigningKey(ctx context.Context, k app.SigningKey, current string) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		signing, err := one[signingKeyDoc](ctx, r, signingKeys, bson.D{{Key: "current", Value: true}})
		if err != nil && !errors.Is(err, app.ErrNotFound) {
			return err
		}
		if signing.ID != current {
			return app.ErrStale
		}
		if current != "" {
			signing.Current, signing.RetiredAt = false, &k.CreatedAt
			u.put(signingKeys, &signing) // first: the index allows one
		}
		next := signingKeyDocOf(k)
		next.Current = true
		u.put(signingKeys, next)
		return nil
	})
}

// RemoveSigningKeys is as app.SigningKeys says.
func (r *Registry) RemoveSigningKeys(ctx context.Context, before time.Time) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		old, err := find[signingKeyDoc](ctx, r, signingKeys, bson.D{{Key: "retired_at", Value: bson.D{{Key: "$lt", Value: before}}}, present})
		for i := range old {
			u.remove(signingKeys, &old[i])
		}
		return err
	})
}
