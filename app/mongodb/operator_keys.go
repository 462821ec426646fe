package mongodb

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

type operatorKeyDoc struct {
	Header     `bson:",inline"`
	Name       string     `bson:"name"`
	Hash       []byte     `bson:"hash"`
	CreatedAt  time.Time  `bson:"created_at"`
	LastUsedAt *time.Time `bson:"last_used_at"`
	ExpiresAt  *time.Time `bson:"expires_at"`
	RevokedAt  *time.Time `bson:"revoked_at"`
}

func operatorKeyDocOf(k app.OperatorKey) *operatorKeyDoc {
	return &operatorKeyDoc{Header: Header{ID: string(k.ID)}, Name: k.Name, Hash: k.Hash, CreatedAt: k.CreatedAt,
		LastUsedAt: moment(k.LastUsedAt), ExpiresAt: moment(k.ExpiresAt), RevokedAt: moment(k.RevokedAt)}
}

func (d operatorKeyDoc) key() app.OperatorKey {
	return app.OperatorKey{ID: app.OperatorKeyID(d.ID), Name: d.Name, Hash: d.Hash, CreatedAt: d.CreatedAt.UTC(),
		LastUsedAt: instant(d.LastUsedAt), ExpiresAt: instant(d.ExpiresAt), RevokedAt: instant(d.RevokedAt)}
}

// CreateOperatorKey is as app.OperatorKeys says.
func (r *Registry) CreateOperatorKey(ctx context.Context, k app.OperatorKey) error {
	_, err := r.createOperatorKey(ctx, k, false)
	return err
}

// CreateFirstOperatorKey is as app.OperatorKeys says.
func (r *Registry) CreateFirstOperatorKey(ctx context.Context, k app.OperatorKey) (bool, error) {
	return r.createOperatorKey(ctx, k, true)
}

// createOperatorKey takes, with the first key, a name that is never given
// back.
func (r *Registry) createOperatorKey(ctx context.Context, k app.OperatorKey, onlyFirst bool) (created bool, err error) {
	err = r.change(ctx, func(ctx context.Context, u *unit) error {
		created = false
		first := claimDoc{Header: Header{ID: claimOperator}}
		there, err := u.get(ctx, claims, first.ID, &first)
		if err != nil || there && onlyFirst {
			return err
		}
		if !there {
			first.Kind, first.Owner = claimOperator, string(k.ID)
			u.put(claims, &first)
		}
		if k.RevokedAt.IsZero() {
			if err := u.claim(ctx, claimOperatorKey, k.Name, string(k.ID), app.ConflictOperatorKey); err != nil {
				return err
			}
		}
		u.put(operatorKeys, operatorKeyDocOf(k))
		u.announce(app.Invalidation{OperatorKey: k.ID})
		created = true
		return nil
	})
	return created && err == nil, err
}

// OperatorKeyByHash is as app.OperatorKeys says.
func (r *Registry) OperatorKeyByHash(ctx context.Context, hash []byte) (app.OperatorKey, error) {
	if hash == nil {
		return app.OperatorKey{}, app.ErrNotFound // to the server that is a key without a hash
	}
	d, err := one[operatorKeyDoc](ctx, r, operatorKeys, bson.D{{Key: "hash", Value: hash}})
	return d.key(), err
}

// ListOperatorKeys is as app.OperatorKeys says.
func (r *Registry) ListOperatorKeys(ctx context.Context) ([]app.OperatorKey, error) {
	docs, err := find[operatorKeyDoc](ctx, r, operatorKeys, bson.D{present}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return nil, r.translate(err)
	}
	var list []app.OperatorKey
	for _, d := range docs {
		list = append(list, d.key())
	}
	return list, nil
}

// RevokeOperatorKey is as app.OperatorKeys says.
func (r *Registry) RevokeOperatorKey(ctx context.Context, id app.OperatorKeyID, t time.Time) (k app.OperatorKey, err error) {
	err = r.change(ctx, func(ctx context.Context, u *unit) error {
		d := new(operatorKeyDoc)
		there, err := u.get(ctx, operatorKeys, string(id), d)
		if err != nil {
			return err
		}
		if !there {
			return app.ErrNotFound
		}
		if d.RevokedAt == nil {
			d.RevokedAt = &t
			u.put(operatorKeys, d)
			if err := u.giveBack(ctx, bson.D{{Key: "owner", Value: string(id)}, {Key: "kind", Value: claimOperatorKey}}); err != nil {
				return err
			}
		}
		u.announce(app.Invalidation{OperatorKey: id})
		k = d.key()
		return nil
	})
	return k, err
}

// TouchOperatorKeys is as app.OperatorKeys says.
func (r *Registry) TouchOperatorKeys(ctx context.Context, used map[app.OperatorKeyID]time.Time) error {
	for id, t := range used {
		err := r.change(ctx, func(ctx context.Context, u *unit) error {
			d := new(operatorKeyDoc)
			there, err := u.get(ctx, operatorKeys, string(id), d)
			if err != nil || !there {
				return err
			}
			d.LastUsedAt = &t
			u.put(operatorKeys, d)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
