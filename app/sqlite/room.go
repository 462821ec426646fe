package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"tenantry/app"
)

// Room asks the file system. What others will use up of it, and what a quota
// keeps back, is not known. See app.Cluster.
func (c *Cluster) Room(ctx context.Context) (app.Room, error) {
	if err := ctx.Err(); err != nil {
		return app.Room{}, err
	}
	return RoomAt(c.dir)
}

// Room asks the file system. See app.MovableRegistry.
func (r *Registry) Room(ctx context.Context) (app.Room, error) {
	if err := ctx.Err(); err != nil {
		return app.Room{}, err
	}
	return RoomAt(filepath.Dir(r.d.path))
}

// RoomAt says how much more fits where a folder is, or would be made.
func RoomAt(dir string) (app.Room, error) {
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	free, err := freeSpace(dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return app.Room{}, nil
	case err != nil:
		return app.Room{}, app.Unavailable("The file system of "+shownPath(dir), err)
	}
	return app.Room{Known: true, Free: free}, nil
}
