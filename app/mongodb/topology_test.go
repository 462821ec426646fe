package mongodb

import (
	"errors"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// A standalone server that becomes a replica set: who uses the lock is stopped,
// what is committed under it is finished, and transactions go on from there.
func TestAStandaloneServerBecomesAReplicaSet(t *testing.T) {
	t.Parallel()
	// One server that takes both stands for one that was started anew.
	s := mongotest.Shared(t, mongotest.ReplicaSet)
	database := s.Database(t)
	url := s.URL(database)
	connected, err := connect(t.Context(), Options{URL: url, Name: "registry"}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer connected.close()
	connected.hello = hello{MaxWire: connected.hello.MaxWire} // as if it had been standalone
	before := &Registry{server: connected, feed: newFeed(0), known: registrySchema}
	before.lock = &lock{r: before, holder: "before"}
	if err := before.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	op, c := creation("acme")
	if err := before.BeginCreate(t.Context(), op, c); err != nil {
		t.Fatal(err)
	}
	if err := before.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := OpenRegistry(t.Context(), Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = after.Close() }()
	if _, err := after.FinishCreate(t.Context(), op, app.Now()); err != nil {
		t.Fatalf("not in a transaction: %v", err)
	}
	op2, c2 := creation("bolt")
	err = before.BeginCreate(t.Context(), op2, c2)
	var told *app.Error
	if !errors.As(err, &told) || !errors.Is(err, app.ErrUnavailable) {
		t.Fatalf("the lock was taken beside transactions: %v", err)
	}
	if n, err := after.db.Collection(operations).CountDocuments(t.Context(), bson.D{{Key: "_id", Value: string(op2.ID)}}); n != 0 || err != nil {
		t.Fatalf("%d operations (%v)", n, err)
	}
	// And back.
	if err := before.enterLock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := before.BeginCreate(t.Context(), op2, c2); err != nil {
		t.Fatal(err)
	}
}
