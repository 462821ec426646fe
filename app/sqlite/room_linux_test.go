package sqlite

import (
	"context"
	"testing"
)

// A disk's room is what is left on it.
func TestRoomOfASmallDisk(t *testing.T) {
	const kib = 8 << 10
	dir := smallDisk(t, kib)
	c := openTestCluster(t, dir, ClusterOptions{Shards: 1})
	room, err := c.Room(context.Background())
	if err != nil || !room.Known || room.Free <= kib<<9 || room.Free > kib<<10 {
		t.Errorf("of %d bytes: %+v (%v)", kib<<10, room, err)
	}
	free := fill(t, dir)
	if room, err := c.Room(context.Background()); err != nil || room.Free != 0 {
		t.Errorf("of a full one: %+v (%v)", room, err)
	}
	free()
}
