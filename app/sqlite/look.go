package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"tenantry/app"
)

// maxStrange is how many things are named that have no business in a cluster.
const maxStrange = 5

// Look says what there is in the folder where a cluster of this name is to be.
// It makes no folder, though files of an older version are migrated when they
// are looked at. The caller holds the folder if it is there.
func Look(ctx context.Context, dir, name string, opts ClusterOptions) (app.Site, error) {
	site := app.Site{Engine: "sqlite", Version: sqlite3.SQLITE_VERSION}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return site, nil
	}
	if err != nil {
		return site, fmt.Errorf("cluster %s: %w", name, err)
	}
	filled := false
	for _, e := range entries {
		file, isDatabase := strings.CutSuffix(e.Name(), ".db")
		switch known := isDatabase && (parseShard(file) == nil || parseOrganizationFile(file) == nil); {
		case known:
			filled = true
		case !isCompanion(e.Name()) && len(site.Strange) < maxStrange:
			site.Strange = append(site.Strange, fmt.Sprintf("%q", e.Name()))
		}
	}
	if !filled {
		return site, nil
	}
	c, err := OpenCluster(ctx, dir, name, opts)
	if err != nil {
		return site, err
	}
	site.Namespaces, err = c.Namespaces(ctx)
	return site, errors.Join(err, c.Close())
}

// isCompanion reports whether a file belongs to a database file, or to the
// folder itself.
func isCompanion(name string) bool {
	if name == lockName {
		return true
	}
	for _, suffix := range []string{"-wal", "-shm", "-journal", damageSuffix} {
		base, is := strings.CutSuffix(name, ".db"+suffix)
		if is && (parseShard(base) == nil || parseOrganizationFile(base) == nil) {
			return true
		}
	}
	return false
}
