package mongodb

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

func TestRefusedAtConnect(t *testing.T) {
	t.Parallel()
	locked := mongotest.Start(t, mongotest.Standalone, "--auth")
	host := strings.TrimPrefix(strings.Split(locked.URI, "/?")[0], "mongodb://")
	for name, c := range map[string]struct {
		url  string
		want []string
		kind error
	}{
		"wrong password": {"mongodb://somebody:geh%2Feim@" + host + "/x?authSource=admin", []string{"user or the password", "authSource"}, app.ErrUnavailable},
		"no credentials": {"mongodb://" + host + "/x", []string{"readWrite"}, app.ErrUnavailable},
		"nobody there":   {"mongodb://somebody:geh%2Feim@127.0.0.1:1/x?serverSelectionTimeoutMS=300", []string{"No primary", "servers run", "Nothing listens"}, app.ErrUnavailable},
		"no such host":   {"mongodb://somebody:geh%2Feim@no..where/x?serverSelectionTimeoutMS=2000", []string{"No primary", "no..where cannot be looked up"}, app.ErrUnavailable},
		"no primary":     {"mongodb://" + host + "/x?replicaSet=other&serverSelectionTimeoutMS=300", []string{"No primary"}, app.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := OpenRegistry(t.Context(), Options{URL: c.url, Name: `cluster "eu"`})
			var away *AwayError
			if !errors.As(err, &away) || !errors.Is(err, c.kind) {
				t.Fatalf("got %v, want an AwayError that is %v", err, c.kind)
			}
			for _, want := range append(c.want, `cluster "eu"`) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
			// Neither may what only the log gets.
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(e.Error(), "eim") {
					t.Errorf("the error tells the password: %v", e)
				}
			}
		})
	}
}

func TestServersThatStartAtOnce(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		database := s.Database(t)
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				r, err := OpenRegistry(context.Background(), Options{URL: s.URL(database)})
				if err != nil {
					t.Error(err)
					return
				}
				_ = r.Close()
			})
		}
		wait.Wait()
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		database := s.Database(t)
		_ = openTestRegistry(t, s, database).Close()
		_, err := s.Client().Database(database).Collection(schemas).UpdateOne(t.Context(), bson.D{{Key: "_id", Value: "registry"}},
			bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: 99}, {Key: "tenantry", Value: "9.9.9"}}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = OpenRegistry(t.Context(), Options{URL: s.URL(database)})
		var newer *NewerError
		if !errors.As(err, &newer) || !strings.Contains(err.Error(), "run tenantry 9.9.9 or newer") {
			t.Fatalf("got %v", err)
		}
	})
}

func TestDatabaseOf(t *testing.T) {
	for url, want := range map[string]string{
		"mongodb://h": "", "mongodb://h/": "", "mongodb://h/x": "x", "mongodb://h,i:1/x?a=b/c": "x",
		"mongodb://u:p@h/x%20y": "x y", "mongodb+srv://h/?a=b": "",
	} {
		if got := databaseOf(url); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}
