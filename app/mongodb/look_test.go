package mongodb

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// What is there is told, and nothing is made by looking.
func TestLook(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		ctx := context.Background()
		look := func(database string) app.Site {
			t.Helper()
			site, err := Look(ctx, "eu", Options{URL: s.URL(database)})
			if err != nil {
				t.Fatal(err)
			}
			return site
		}
		empty := s.Database(t)
		if site := look(empty); site.Engine != "mongodb" || site.Version == "" || len(site.Strange)+len(site.Namespaces) > 0 {
			t.Errorf("nothing is there: %+v", site)
		}
		if made, err := s.Client().Database(empty).ListCollectionNames(ctx, bson.D{}); err != nil || len(made) > 0 {
			t.Errorf("looking made %v (%v)", made, err)
		}

		filled := s.Database(t)
		c := openTestCluster(t, s, filled)
		if site := look(filled); len(site.Strange)+len(site.Namespaces) > 0 {
			t.Errorf("an empty cluster: %+v", site)
		}
		id := app.NewID[app.OrganizationID]()
		for _, isolation := range isolations {
			p, err := c.Locate(id, "acme", isolation)
			if err == nil {
				err = c.Provision(ctx, app.Namespace{Organization: id, Placement: p})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		site := look(filled)
		if len(site.Namespaces) != len(isolations) || site.Namespaces[0].Organization != id || len(site.Strange) > 0 {
			t.Errorf("a cluster with an organization: %+v", site)
		}

		registry := s.Database(t)
		r := openTestRegistry(t, s, registry)
		defer func() { _ = r.Close() }()
		if site := look(registry); len(site.Strange) == 0 || site.Strange[0] != "a registry" {
			t.Errorf("a registry: %+v", site)
		}
		other := s.Database(t)
		if _, err := s.Client().Database(other).Collection("things").InsertOne(ctx, bson.D{{Key: "a", Value: 1}}); err != nil {
			t.Fatal(err)
		}
		if site := look(other); len(site.Strange) != 1 || !strings.Contains(site.Strange[0], `"things"`) {
			t.Errorf("somebody else's: %+v", site)
		}
		if _, err := s.Client().Database(filled).Collection(schemas).UpdateByID(ctx, clusterSchema.kind,
			bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: 99}, {Key: "tenantry", Value: "9.9"}}}}); err != nil {
			t.Fatal(err)
		}
		var newer *NewerError
		if _, err := Look(ctx, "eu", Options{URL: s.URL(filled)}); !errors.As(err, &newer) || newer.Wrote != "9.9" {
			t.Errorf("of a newer version: %v", err)
		}
	})
}

func TestLookWhereNothingAnswers(t *testing.T) {
	t.Parallel()
	_, err := Look(context.Background(), "eu", Options{URL: "mongodb://u:geheim@127.0.0.1:1/?serverSelectionTimeoutMS=200"})
	var away *AwayError
	if !errors.As(err, &away) || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), `cluster "eu"`) {
		t.Errorf("got %v", err)
	}
}
