package mongodb

import (
	"context"
	"errors"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// A collection that somebody has dropped is missed by whoever reads or writes,
// by servers that remember it and by those that do not; nothing is made in its
// place that takes what is out of date. The neighbour is served.
func TestACollectionThatWasDropped(t *testing.T) {
	s := mongotest.Shared(t, mongotest.ReplicaSet)
	for name, act := range map[string]func(*Cluster, app.Namespace) error{
		"read": func(c *Cluster, ns app.Namespace) error { _, err := c.Document(t.Context(), ns, "d"); return err },
		"list": func(c *Cluster, ns app.Namespace) error {
			return first(c.ListDocuments(t.Context(), ns, app.DocumentQuery{Limit: 9}))
		},
		"delete": func(c *Cluster, ns app.Namespace) error {
			return c.DeleteDocument(t.Context(), ns, "d", app.AnyRevision)
		},
		"measure": func(c *Cluster, ns app.Namespace) error { _, err := c.Stats(t.Context(), ns); return err },
		"replace": func(c *Cluster, ns app.Namespace) error {
			_, err := c.ReplaceDocument(t.Context(), ns, "d", app.AnyRevision, app.Replacement{Data: []byte(`{}`), At: app.Now()})
			return err
		},
	} {
		for _, isolation := range isolations {
			t.Run(name+"/"+string(isolation), func(t *testing.T) {
				t.Parallel()
				c, ns, neighbour := withNeighbour(t, s, isolation)
				dropped := collectionOf(t, s, c, ns)
				dropBehind(t, dropped)
				if err := act(c, ns); !errors.Is(err, app.ErrLost) || !errors.Is(err, app.ErrUnavailable) {
					t.Fatalf("got %v", err)
				}
				if err := c.InsertDocument(t.Context(), ns, document("e", `{}`)); !errors.Is(err, app.ErrLost) {
					t.Fatalf("an insertion after that: %v", err)
				}
				// The stand-in makes a collection for an update that finds none.
				names, err := dropped.Database().ListCollectionNames(t.Context(), bson.D{{Key: "name", Value: dropped.Name()}})
				if err != nil || len(names) != 0 && name != "delete" {
					t.Fatalf("it was made again: %v (%v)", names, err)
				}
				listed := placesOf(t, c)
				if listed[ns.Organization] || isolation != app.IsolationShared && !listed[neighbour.Organization] {
					t.Fatalf("there are %v", listed)
				}
				if isolation != app.IsolationShared { // which is everybody's
					if _, err := c.Document(t.Context(), neighbour, "d"); err != nil {
						t.Fatalf("the neighbour: %v", err)
					}
				}
				must(t, c.Drop(t.Context(), ns)) // it can still be deleted
			})
		}
	}
}

// What a server inserts where nothing is any more makes the collection again,
// without its validator. That is noticed soon, the organization is refused then,
// and what was acknowledged is there when it is taken over.
func TestACollectionThatCameBackByAnInsertion(t *testing.T) {
	s := mongotest.Shared(t, mongotest.ReplicaSet)
	for _, isolation := range isolations {
		t.Run(string(isolation), func(t *testing.T) {
			t.Parallel()
			c, ns, _ := withNeighbour(t, s, isolation)
			dropBehind(t, collectionOf(t, s, c, ns))
			must(t, c.InsertDocument(t.Context(), ns, document("e", `{}`)))
			var err error
			eventually(t, "it is noticed", func() bool {
				_, err = c.Document(t.Context(), ns, "e")
				return err != nil
			})
			if !errors.Is(err, app.ErrUnfenced) || placesOf(t, c)[ns.Organization] {
				t.Fatalf("got %v, listed %v", err, placesOf(t, c))
			}
			other := openTestCluster(t, s, c.db.Name()) // as doctor in another process
			defer func() { _ = other.Close() }()
			must(t, other.Provision(t.Context(), ns))
			eventually(t, "it is served again", func() bool { _, err := c.Document(t.Context(), ns, "e"); return err == nil })
			must(t, c.InsertDocument(t.Context(), ns, document("f", `{}`)))
			d, err := c.resolve(t.Context(), keyIn(ns))
			must(t, err)
			there, err := c.look(t.Context(), d, d.Collection)
			if err != nil || there.stamp == 0 {
				t.Fatalf("it has no fence: %+v (%v)", there, err)
			}
		})
	}
}

// dropBehind drops a collection behind the program's back. The stand-in ends a
// connection now and then, and the driver sends this command once.
func dropBehind(t *testing.T, c *mongo.Collection) {
	t.Helper()
	err := c.Drop(t.Context())
	for range 3 {
		if mongo.IsNetworkError(err) {
			err = c.Drop(t.Context())
		}
	}
	must(t, err)
}

func withNeighbour(t *testing.T, s *mongotest.Server, isolation app.Isolation) (c *Cluster, ns, neighbour app.Namespace) {
	t.Helper()
	c = openTestCluster(t, s, s.Database(t))
	t.Cleanup(func() { _ = c.Close() })
	for _, one := range []*app.Namespace{&ns, &neighbour} {
		one.Organization = app.NewID[app.OrganizationID]()
		var err error
		one.Placement, err = c.Locate(one.Organization, "acme"+string(one.Organization[30:]), isolation)
		must(t, err)
		must(t, c.Provision(t.Context(), *one))
		must(t, c.InsertDocument(t.Context(), *one, document("d", `{}`)))
		if isolation == app.IsolationDatabase {
			t.Cleanup(func() { _ = s.Client().Database(one.Placement.Database).Drop(context.Background()) })
		}
	}
	return c, ns, neighbour
}

func placesOf(t *testing.T, c *Cluster) map[app.OrganizationID]bool {
	t.Helper()
	list, err := c.Namespaces(t.Context())
	must(t, err)
	all := map[app.OrganizationID]bool{}
	for _, ns := range list {
		all[ns.Organization] = true
	}
	return all
}

func collectionOf(t *testing.T, s *mongotest.Server, c *Cluster, ns app.Namespace) *mongo.Collection {
	t.Helper()
	d, err := c.resolve(t.Context(), keyIn(ns))
	must(t, err)
	return s.Client().Database(c.database(d).Name()).Collection(d.Collection)
}
