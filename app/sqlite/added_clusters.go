package sqlite

import (
	"context"
	"encoding/json"

	"tenantry/app"
)

const addedClusterColumns = `name, sealed, place, shards, isolations, max_namespaces, closing, instead, revision, created_at`

func scanAddedCluster(row scanner) (app.AddedCluster, error) {
	var k app.AddedCluster
	var isolations string
	err := row.Scan(&k.Name, &k.Sealed, &k.Place, &k.Shards, &isolations, &k.MaxNamespaces, &k.Closing, &k.Instead, &k.Revision, at{&k.CreatedAt})
	if err != nil {
		return k, err
	}
	return k, json.Unmarshal([]byte(isolations), &k.Isolations)
}

func insertAddedCluster(c *conn, k app.AddedCluster) error {
	isolations, err := json.Marshal(k.Isolations)
	if err != nil {
		return err
	}
	_, err = c.exec("INSERT INTO added_clusters ("+addedClusterColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		k.Name, blob(k.Sealed), blob(k.Place), k.Shards, string(isolations), k.MaxNamespaces, k.Closing, k.Instead, k.Revision, k.CreatedAt.UnixMilli())
	return err
}

func readAddedCluster(c *conn, name string) (app.AddedCluster, error) {
	return scanAddedCluster(c.queryRow("SELECT "+addedClusterColumns+" FROM added_clusters WHERE name = ?", name))
}

// AddedClusters is as app.AddedClusters says.
func (r *Registry) AddedClusters(ctx context.Context) ([]app.AddedCluster, error) {
	var list []app.AddedCluster
	err := r.d.read(ctx, func(c *conn) error {
		return c.query(func(row scanner) error {
			k, err := scanAddedCluster(row)
			list = append(list, k)
			return err
		}, "SELECT "+addedClusterColumns+" FROM added_clusters ORDER BY name")
	})
	return list, err
}

// AddCluster is as app.AddedClusters says.
func (r *Registry) AddCluster(ctx context.Context, k app.AddedCluster) error {
	return r.change(ctx, func(c *conn) error {
		err := insertAddedCluster(c, k)
		if !isTaken(err) {
			return err
		}
		var named bool
		if err := c.queryRow("SELECT EXISTS (SELECT 1 FROM added_clusters WHERE name = ?)", k.Name).Scan(&named); err != nil {
			return err
		}
		if named {
			return app.Taken(app.ConflictCluster)
		}
		return app.Taken(app.ConflictClusterPlace)
	}, app.Invalidation{Clusters: true})
}

// ReplaceCluster is as app.AddedClusters says.
func (r *Registry) ReplaceCluster(ctx context.Context, k app.AddedCluster) error {
	isolations, err := json.Marshal(k.Isolations)
	if err != nil {
		return err
	}
	return r.change(ctx, func(c *conn) error {
		n, err := c.exec(`UPDATE added_clusters SET sealed = ?, place = ?, shards = ?, isolations = ?, max_namespaces = ?, closing = ?, instead = ?,
			revision = revision + 1 WHERE name = ? AND revision = ?`,
			blob(k.Sealed), blob(k.Place), k.Shards, string(isolations), k.MaxNamespaces, k.Closing, k.Instead, k.Name, k.Revision)
		switch {
		case isTaken(err):
			return app.Taken(app.ConflictClusterPlace)
		case err != nil || n > 0:
			return err
		}
		if _, err := readAddedCluster(c, k.Name); err != nil {
			return err
		}
		return app.ErrStale
	}, app.Invalidation{Clusters: true})
}

// RemoveCluster is as app.AddedClusters says.
func (r *Registry) RemoveCluster(ctx context.Context, name string) error {
	return r.change(ctx, func(c *conn) error {
		if _, err := readAddedCluster(c, name); err != nil {
			return err
		}
		var lives bool
		err := c.queryRow(`SELECT EXISTS (SELECT 1 FROM organizations WHERE cluster = ?1) OR EXISTS (SELECT 1 FROM operations WHERE `+stateOpen+`
			AND (relocation ->> '$.Source.Cluster' = ?1 OR relocation ->> '$.Target.Cluster' = ?1))`, name).Scan(&lives)
		if err != nil {
			return err
		}
		if lives {
			return app.Taken(app.ConflictInhabited)
		}
		_, err = c.exec("DELETE FROM added_clusters WHERE name = ?", name)
		return err
	}, app.Invalidation{Clusters: true})
}

// blob is bytes for a column that takes no NULL, which nil would be.
func blob(b []byte) []byte { return append([]byte{}, b...) }
