package mongodb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
)

// maxStrange is how many things are named that have no business in a cluster.
const maxStrange = 5

// Look says what there is where a cluster of this name is to be, and changes
// nothing. The error is an *AwayError when the server cannot be reached or does
// not let the program in, a *NewerError when a newer version of the program
// wrote the data.
func Look(ctx context.Context, name string, o Options) (app.Site, error) {
	site := app.Site{Engine: "mongodb"}
	if o.Name == "" {
		o.Name = `cluster "` + name + `"`
	}
	o.Metrics = nil // it is no store of this server yet
	s, err := connect(ctx, o, defaultClusterDatabase, nil)
	if err != nil {
		return site, err
	}
	defer s.close()
	c := &Cluster{server: s, key: name}
	err = c.survey(ctx, &site)
	return site, s.translate(err)
}

func (c *Cluster) survey(ctx context.Context, site *app.Site) error {
	var build struct {
		Version string `bson:"version"`
	}
	if err := c.db.RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&build); err != nil {
		return err
	}
	site.Version = build.Version
	collections, err := c.db.ListCollectionNames(ctx, bson.D{})
	if err != nil {
		return err
	}
	if slices.Contains(collections, schemas) {
		cursor, err := c.db.Collection(schemas).Find(ctx, bson.D{})
		if err != nil {
			return err
		}
		var kinds []struct {
			Kind    string `bson:"_id"`
			Version int    `bson:"version"`
			Wrote   string `bson:"tenantry"`
		}
		if err := cursor.All(ctx, &kinds); err != nil {
			return err
		}
		for _, k := range kinds {
			switch {
			case k.Kind == registrySchema.kind:
				site.Strange = append(site.Strange, "a registry")
			case k.Kind == clusterSchema.kind && k.Version > len(clusterSchema.migrations):
				return &NewerError{Name: c.name, Wrote: k.Wrote, Version: k.Version, Known: len(clusterSchema.migrations)}
			case k.Kind == clusterSchema.kind:
				return c.residents(ctx, site)
			}
		}
	}
	slices.Sort(collections)
	for _, name := range collections {
		if name != schemas && !strings.HasPrefix(name, "system.") && len(site.Strange) < maxStrange {
			site.Strange = append(site.Strange, fmt.Sprintf("the collection %q", name))
		}
	}
	return nil
}

// residents lists the namespaces of what is a cluster already.
func (c *Cluster) residents(ctx context.Context, site *app.Site) error {
	list, err := c.allNamespaces(ctx)
	for _, d := range list {
		if d.Dropping {
			continue // gone, but for clearing up
		}
		site.Namespaces = append(site.Namespaces, app.Namespace{Organization: d.org(), Placement: app.Placement{
			Cluster: c.key, Isolation: d.isolation(), Database: c.database(d).Name(), Collection: d.Collection, Generation: d.Generation}})
	}
	return err
}
