package mongodb

import (
	"errors"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// leaveAside is what a server does last that moves an organization's data out of
// the way of a rename and dies before it has looked at it.
func leaveAside(t *testing.T, s *mongotest.Server, data *mongo.Collection) {
	t.Helper()
	name := data.Database().Name()
	must(t, s.Client().Database("admin").RunCommand(t.Context(), bson.D{
		{Key: "renameCollection", Value: name + "." + data.Name()}, {Key: "to", Value: name + "." + asidePrefix + bson.NewObjectID().Hex()},
	}).Err())
}

func TestWhatWasLeftAsideIsBack(t *testing.T) {
	for _, isolation := range []app.Isolation{app.IsolationCollection, app.IsolationDatabase} {
		t.Run(string(isolation), func(t *testing.T) {
			t.Parallel()
			s := mongotest.Shared(t, mongotest.Standalone)
			c, ns, neighbour := withNeighbour(t, s, isolation)
			data := collectionOf(t, s, c, ns)
			leaveAside(t, s, data)
			if _, err := c.Document(t.Context(), ns, "d"); !errors.Is(err, app.ErrLost) {
				t.Fatalf("it is read as %v", err)
			}
			eventually(t, "its documents are back", func() bool {
				_, err := c.Document(t.Context(), ns, "d")
				return err == nil
			})
			if _, err := c.Document(t.Context(), neighbour, "d"); err != nil {
				t.Fatal(err)
			}

			// By who goes on with a rename that was broken off there.
			d, err := c.resolve(t.Context(), keyIn(ns))
			must(t, err)
			to := ns
			to.Placement.Collection, to.Placement.Generation = "org_other"+string(ns.Organization[30:]), ns.Placement.Generation+1
			_, err = c.recordPending(t.Context(), d, pending{to.Placement.Collection, to.Placement.Generation})
			must(t, err)
			leaveAside(t, s, data)
			must(t, c.Rename(t.Context(), ns, to.Placement.Collection, to.Placement.Generation))
			if _, err := c.Document(t.Context(), to, "d"); err != nil {
				t.Fatalf("after the rename: %v", err)
			}
		})
	}
}
