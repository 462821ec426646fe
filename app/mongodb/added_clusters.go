package mongodb

import (
	"bytes"
	"context"
	"encoding/hex"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

type addedClusterDoc struct {
	Header        `bson:",inline"`
	Sealed        []byte    `bson:"sealed"`
	Place         []byte    `bson:"place,omitempty"`
	Shards        int       `bson:"shards"`
	Isolations    []string  `bson:"isolations"`
	MaxNamespaces int       `bson:"max_namespaces"`
	Closing       bool      `bson:"closing"`
	Instead       string    `bson:"instead,omitempty"`
	Revision      int64     `bson:"revision"`
	CreatedAt     time.Time `bson:"created_at"`
}

func (d addedClusterDoc) cluster() app.AddedCluster {
	k := app.AddedCluster{Name: d.ID, Sealed: d.Sealed, Place: d.Place, Shards: d.Shards, MaxNamespaces: d.MaxNamespaces,
		Closing: d.Closing, Instead: d.Instead, Revision: d.Revision, CreatedAt: d.CreatedAt.UTC()}
	for _, isolation := range d.Isolations {
		k.Isolations = append(k.Isolations, app.Isolation(isolation))
	}
	return k
}

func addedClusterDocOf(k app.AddedCluster) *addedClusterDoc {
	d := &addedClusterDoc{Header: Header{ID: k.Name}, Revision: k.Revision, CreatedAt: k.CreatedAt}
	d.set(k)
	return d
}

func (d *addedClusterDoc) set(k app.AddedCluster) {
	d.Sealed, d.Place, d.Shards, d.MaxNamespaces, d.Closing, d.Instead = k.Sealed, k.Place, k.Shards, k.MaxNamespaces, k.Closing, k.Instead
	d.Isolations = make([]string, len(k.Isolations))
	for i, isolation := range k.Isolations {
		d.Isolations[i] = string(isolation)
	}
}

// placeClaim is what a cluster claims; nil where its place is not known.
func placeClaim(k app.AddedCluster) *claimDoc {
	if len(k.Place) == 0 {
		return nil
	}
	return claimDocOf(claimPlace, hex.EncodeToString(k.Place), k.Name)
}

// takePlace takes the place of a cluster's store.
func (u *unit) takePlace(ctx context.Context, k app.AddedCluster) error {
	c := placeClaim(k)
	if c == nil {
		return nil
	}
	return u.hold(ctx, c.Kind, c.Value, c.Owner, app.ConflictClusterPlace)
}

// placesBut are the claims of a cluster, beside that of the place where it is.
func placesBut(k app.AddedCluster) bson.D {
	return bson.D{{Key: "owner", Value: k.Name}, {Key: "kind", Value: claimPlace}, {Key: "value", Value: bson.D{{Key: "$ne", Value: hex.EncodeToString(k.Place)}}}}
}

// AddedClusters is as app.AddedClusters says.
func (r *Registry) AddedClusters(ctx context.Context) ([]app.AddedCluster, error) {
	docs, err := find[addedClusterDoc](ctx, r, addedClusters, bson.D{present}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return nil, r.translate(err)
	}
	var list []app.AddedCluster
	for _, d := range docs {
		list = append(list, d.cluster())
	}
	return list, nil
}

// AddCluster is as app.AddedClusters says.
func (r *Registry) AddCluster(ctx context.Context, k app.AddedCluster) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		var d addedClusterDoc
		there, err := u.get(ctx, addedClusters, k.Name, &d)
		if err != nil {
			return err
		}
		if there {
			return app.Taken(app.ConflictCluster)
		}
		if err := u.takePlace(ctx, k); err != nil {
			return err
		}
		d.set(k)
		d.Revision, d.CreatedAt = k.Revision, k.CreatedAt
		u.put(addedClusters, &d)
		u.announce(app.Invalidation{Clusters: true})
		return nil
	})
}

// ReplaceCluster is as app.AddedClusters says.
func (r *Registry) ReplaceCluster(ctx context.Context, k app.AddedCluster) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		var d addedClusterDoc
		there, err := u.get(ctx, addedClusters, k.Name, &d)
		switch {
		case err != nil:
			return err
		case !there:
			return app.ErrNotFound
		case d.Revision != k.Revision:
			return app.ErrStale
		}
		if !bytes.Equal(d.Place, k.Place) {
			if err := u.takePlace(ctx, k); err != nil {
				return err
			}
			if err := u.giveBack(ctx, placesBut(k)); err != nil {
				return err
			}
		}
		d.set(k)
		d.Revision++
		u.put(addedClusters, &d)
		u.announce(app.Invalidation{Clusters: true})
		return nil
	})
}

// RemoveCluster is as app.AddedClusters says. That nobody moves in between the
// look and the removal is for the caller, who closes the cluster first and
// waits until every server has heard of it.
func (r *Registry) RemoveCluster(ctx context.Context, name string) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		var d addedClusterDoc
		there, err := u.get(ctx, addedClusters, name, &d)
		if err != nil {
			return err
		}
		if !there {
			return app.ErrNotFound
		}
		lives, err := r.db.Collection(organizations).CountDocuments(ctx, bson.D{{Key: "cluster", Value: name}, present}, options.Count().SetLimit(1))
		if err != nil {
			return err
		}
		moves, err := r.moves(ctx, name)
		if err != nil {
			return err
		}
		if lives > 0 || moves {
			return app.Taken(app.ConflictInhabited)
		}
		u.remove(addedClusters, &d)
		if err := u.giveBack(ctx, placesBut(app.AddedCluster{Name: name})); err != nil {
			return err
		}
		u.announce(app.Invalidation{Clusters: true})
		return nil
	})
}

// moves reports whether a relocation is open that begins or ends in a cluster.
func (r *Registry) moves(ctx context.Context, cluster string) (bool, error) {
	open, err := r.operations(ctx, bson.D{{Key: "open", Value: true}, {Key: "kind", Value: string(app.OperationRelocate)}}, options.Find())
	for _, op := range open {
		if r := op.Relocation; r != nil && (r.Source.Cluster == cluster || r.Target.Cluster == cluster) {
			return true, nil
		}
	}
	return false, err
}
