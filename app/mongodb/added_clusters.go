package mongodb

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

type addedClusterDoc struct {
	Header        `bson:",inline"`
	Sealed        []byte    `bson:"sealed"`
	Shards        int       `bson:"shards"`
	Isolations    []string  `bson:"isolations"`
	MaxNamespaces int       `bson:"max_namespaces"`
	Closing       bool      `bson:"closing"`
	Instead       string    `bson:"instead,omitempty"`
	Revision      int64     `bson:"revision"`
	CreatedAt     time.Time `bson:"created_at"`
}

func (d addedClusterDoc) cluster() app.AddedCluster {
	k := app.AddedCluster{Name: d.ID, Sealed: d.Sealed, Shards: d.Shards, MaxNamespaces: d.MaxNamespaces,
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
	d.Sealed, d.Shards, d.MaxNamespaces, d.Closing, d.Instead = k.Sealed, k.Shards, k.MaxNamespaces, k.Closing, k.Instead
	d.Isolations = make([]string, len(k.Isolations))
	for i, isolation := range k.Isolations {
		d.Isolations[i] = string(isolation)
	}
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
