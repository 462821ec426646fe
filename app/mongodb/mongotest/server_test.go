package mongotest_test

import (
	"context"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app/mongodb/mongotest"
)

func TestServersSayWhatTheyAre(t *testing.T) {
	for _, kind := range []mongotest.Kind{mongotest.ReplicaSet, mongotest.Standalone} {
		t.Run(string(kind), func(t *testing.T) {
			s := mongotest.Shared(t, kind)
			var hello struct {
				SetName string `bson:"setName"`
				Primary bool   `bson:"isWritablePrimary"`
			}
			if err := s.Client().Database("admin").RunCommand(context.Background(), bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
				t.Fatal(err)
			}
			if !hello.Primary || (hello.SetName != "") != (kind == mongotest.ReplicaSet) {
				t.Fatalf("%s says %+v", kind, hello)
			}
		})
	}
}
