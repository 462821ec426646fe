package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"tenantry/app"
)

// The room is that of the file system, also of a folder that is not there yet.
func TestRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := openTestCluster(t, dir, ClusterOptions{})
	room, err := c.Room(context.Background())
	if err != nil || !room.Known || room.Free <= 0 {
		t.Errorf("got %+v (%v)", room, err)
	}
	if later, err := RoomAt(filepath.Join(dir, "not", "yet")); err != nil || !later.Known || later.Free <= 0 {
		t.Errorf("of a folder to come: %+v (%v)", later, err)
	}
}

// Whoever comes to a file of a newer version is told which version that is.
func TestAFileOfANewerVersionSaysSo(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, isolation := range isolations {
		dir := t.TempDir()
		c := openTestCluster(t, dir, ClusterOptions{Shards: 1})
		ns := provisionedIn(t, c, isolation, "acme")
		closeTestCluster(t, c)
		if isolation == app.IsolationDatabase { // shards are looked at when the cluster is opened
			inFile(t, filepath.Join(dir, ns.Placement.Database+".db"), "PRAGMA user_version = 99")
		}
		c = openTestCluster(t, dir, ClusterOptions{Shards: 1})
		if isolation != app.IsolationDatabase {
			inFile(t, filepath.Join(dir, ns.Placement.Database+".db"), "PRAGMA user_version = 99")
		}
		_, _, err := c.Phase(ctx, ns)
		var version *app.VersionError
		if !errors.As(err, &version) || !errors.Is(err, app.ErrUnavailable) || !strings.Contains(err.Error(), "schema 99") {
			t.Errorf("%s: got %v", isolation, err)
		}
	}
}
