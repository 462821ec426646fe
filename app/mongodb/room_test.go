package mongodb

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// The room is that of the disk of the server, where it tells.
func TestRoom(t *testing.T) {
	t.Parallel()
	s := mongotest.Shared(t, mongotest.ReplicaSet)
	between := mongotest.Between(t, s.Address())
	var stats atomic.Pointer[bson.D]
	var asked atomic.Int64
	between.Judge(func(c mongotest.Command) *mongotest.Interference {
		if c.Name == "dbStats" {
			asked.Add(1)
		}
		if answer := stats.Load(); c.Name == "dbStats" && answer != nil {
			return &mongotest.Interference{Error: *answer}
		}
		return nil
	})
	c, err := OpenCluster(t.Context(), "default", Options{URL: "mongodb://" + between.Address + "/" + s.Database(t) + "?directConnection=true"})
	must(t, err)
	defer func() { _ = c.Close() }()
	room, err := c.Room(t.Context())
	must(t, err)
	if !room.Known || room.Free <= 0 {
		t.Errorf("of the server's disk: %+v", room)
	}
	ok := bson.E{Key: "ok", Value: 1.0}
	for name, one := range map[string]struct {
		answer bson.D
		want   app.Room
	}{
		"told":       {bson.D{ok, {Key: "fsUsedSize", Value: 3e12}, {Key: "fsTotalSize", Value: 5e12}}, app.Room{Known: true, Free: 2e12}},
		"in words":   {bson.D{ok, {Key: "fsUsedSize", Value: int64(40)}, {Key: "fsTotalSize", Value: int64(100)}}, app.Room{Known: true, Free: 60}},
		"full":       {bson.D{ok, {Key: "fsUsedSize", Value: 100.0}, {Key: "fsTotalSize", Value: 100.0}}, app.Room{Known: true}},
		"not told":   {bson.D{ok, {Key: "storageSize", Value: 9}}, app.Room{}},
		"not to us":  {bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: int32(13)}, {Key: "errmsg", Value: "not authorized"}}, app.Room{}},
		"not at all": {bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: int32(59)}, {Key: "errmsg", Value: "no such command"}}, app.Room{}},
	} {
		stats.Store(&one.answer)
		c.room.at = time.Time{}
		if room, err := c.Room(t.Context()); err != nil || room != one.want {
			t.Errorf("%s: %+v (%v), want %+v", name, room, err, one.want)
		}
	}
	asked.Store(0)
	for range 3 { // as a drain does
		must(t, first(c.Room(t.Context())))
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the disk was asked for %d times within a moment", n)
	}
}

// Nothing is to be brought where another version of the program has the
// database, or the server has become too old; and the answer says so.
func TestNoRoomWhereVersionsDiffer(t *testing.T) {
	t.Parallel()
	s := mongotest.Shared(t, mongotest.Standalone)
	database := s.Database(t)
	between := mongotest.Between(t, s.Address())
	c, err := OpenCluster(t.Context(), "eu", Options{URL: "mongodb://" + between.Address + "/" + database + "?directConnection=true"})
	must(t, err)
	defer func() { _ = c.Close() }()
	refused := func(words ...string) {
		t.Helper()
		_, err := c.Room(t.Context())
		var version *app.VersionError
		if !errors.As(err, &version) || !errors.Is(err, app.ErrUnavailable) {
			t.Fatalf("got %v", err)
		}
		for _, word := range words {
			if !strings.Contains(version.Error(), word) {
				t.Errorf("%q says nothing of %q", version, word)
			}
		}
	}
	schemaIs := func(version int, wrote string) {
		t.Helper()
		_, err := s.Client().Database(database).Collection(schemas).UpdateByID(t.Context(), clusterSchema.kind,
			bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: version}, {Key: "tenantry", Value: wrote}}}})
		must(t, err)
	}
	schemaIs(99, "9.9")
	refused("tenantry 9.9", `cluster "eu"`)
	schemaIs(1, "0.1")
	refused("schema 1", "restart")
	schemaIs(len(clusterSchema.migrations), "test")
	if _, err := c.Room(t.Context()); err != nil {
		t.Fatal(err)
	}
	between.Judge(func(c mongotest.Command) *mongotest.Interference {
		if c.Name != "hello" {
			return nil
		}
		return &mongotest.Interference{Error: bson.D{{Key: "isWritablePrimary", Value: true}, {Key: "maxWireVersion", Value: int32(13)},
			{Key: "minWireVersion", Value: int32(0)}, {Key: "ok", Value: 1.0}}}
	})
	refused("older than MongoDB 6.0")
}
