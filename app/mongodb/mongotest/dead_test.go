package mongotest_test

import (
	"context"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app/mongodb/mongotest"
)

// As MongoDB does it: the transaction of a client that died ends by itself when
// its time is over, though nobody begins another, and a plain write that waited
// for it goes on.
func TestTheTransactionOfADeadClientEndsByItself(t *testing.T) {
	t.Parallel()
	s := mongotest.Start(t, mongotest.ReplicaSet, mongotest.ShortTransactions...)
	things := s.Client().Database("test").Collection("things")
	if _, err := things.InsertOne(t.Context(), bson.D{{Key: "_id", Value: 1}}); err != nil {
		t.Fatal(err)
	}
	session, err := s.Client().StartSession() // and never ended
	if err != nil {
		t.Fatal(err)
	}
	if err := session.StartTransaction(); err != nil {
		t.Fatal(err)
	}
	set := func(by string) bson.D { return bson.D{{Key: "$set", Value: bson.D{{Key: "by", Value: by}}}} }
	if _, err := things.UpdateByID(mongo.NewSessionContext(t.Context(), session), 1, set("the dead")); err != nil {
		t.Fatal(err)
	}

	waiting, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	if _, err := things.UpdateByID(waiting, 1, set("the living")); err != nil {
		t.Fatal(err)
	}
	var now struct{ By string }
	if err := things.FindOne(t.Context(), bson.D{}).Decode(&now); err != nil || now.By != "the living" {
		t.Errorf("it is by %s (%v)", now.By, err)
	}
	if err := session.CommitTransaction(t.Context()); err == nil {
		t.Error("the dead one's transaction was committed")
	}
}
