package mongodb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
)

// Room asks what the server is and which version of the program has the
// database, since either may have changed after it was connected to, and how
// much room its disk has. See app.Cluster.
func (c *Cluster) Room(ctx context.Context) (app.Room, error) {
	if away := c.away.Load(); away != nil && isLasting(*away) {
		return app.Room{}, c.unfit(*away)
	}
	if err := c.here(); err != nil {
		return app.Room{}, err
	}
	ctx, cancel := c.reading(ctx)
	defer cancel()
	var now hello
	if err := c.client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&now); err != nil {
		return app.Room{}, c.translate(err)
	}
	if now.MaxWire < oldestWire {
		return app.Room{}, c.unfit(&OldError{Wire: now.MaxWire})
	}
	d, err := c.schema(ctx, clusterSchema)
	switch known := len(clusterSchema.migrations); {
	case isLasting(err):
		return app.Room{}, c.unfit(err)
	case err != nil:
		return app.Room{}, c.translate(err)
	case d.Version < known: // it was up to date when it was opened
		return app.Room{}, c.unfit(fmt.Errorf("its database is of schema %d, and this version of the program needs %d; something else than the "+
			"program has put it there; restart the servers, which brings it up to date", d.Version, known))
	}
	room, err := c.room.get(func() (app.Room, error) { return roomOf(ctx, c.db) })
	return room, c.translate(err)
}

// roomFor is how long an answer about the disk is good. The server looks at every
// collection for it, and a drain asks for each organization.
const roomFor = 10 * time.Second

// knownRoom is the last answer about the disk.
type knownRoom struct {
	mu   sync.Mutex
	room app.Room
	at   time.Time
}

func (k *knownRoom) get(ask func() (app.Room, error)) (app.Room, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.at.IsZero() && time.Since(k.at) < roomFor {
		return k.room, nil
	}
	room, err := ask()
	if err == nil {
		k.room, k.at = room, time.Now()
	}
	return room, err
}

// Room asks how much room the server's disk has. See app.MovableRegistry.
func (r *Registry) Room(ctx context.Context) (app.Room, error) {
	ctx, cancel := r.reading(ctx)
	defer cancel()
	room, err := roomOf(ctx, r.db)
	return room, r.server.translate(err)
}

// unfit says that nothing can be brought to the cluster as long as things are as
// they are.
func (c *Cluster) unfit(why error) error {
	var away *AwayError
	if errors.As(why, &away) {
		why = away.Err
	}
	return &app.Error{Kind: app.ErrUnavailable, Code: "unavailable", Cause: &app.VersionError{Err: why},
		Detail: fmt.Sprintf("The %s cannot be used: %s.", c.name, why)}
}

// roomOf asks the server for the disk that it keeps its files on. Not every
// server says that, and not to everybody.
func roomOf(ctx context.Context, db *mongo.Database) (app.Room, error) {
	var stats struct {
		Total float64 `bson:"fsTotalSize"`
		Used  float64 `bson:"fsUsedSize"`
	}
	err := db.RunCommand(ctx, bson.D{{Key: "dbStats", Value: 1}}).Decode(&stats)
	if isServerError(err) && isRefused(err) || err == nil && stats.Total <= 0 {
		return app.Room{}, nil
	}
	return app.Room{Known: err == nil, Free: int64(max(0, stats.Total-stats.Used))}, err
}
