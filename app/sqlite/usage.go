package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	sqlite3 "modernc.org/sqlite/lib"

	"tenantry/app"
)

// Usage reads every file: 10,000 small organizations in collections take about
// a second, in files of their own a few. See app.Cluster.
func (c *Cluster) Usage(ctx context.Context) (app.ClusterUsage, error) {
	u := app.ClusterUsage{Engine: "sqlite", Version: sqlite3.SQLITE_VERSION, Isolations: isolations, Transactions: true}
	err := c.eachFile(ctx, func(name string, conn *conn) error {
		size, err := fileSize(c.path(name))
		if err != nil {
			return err
		}
		of, err := usageOf(ctx, conn)
		u.Bytes += size
		u.Namespaces += of.Namespaces
		u.Documents += of.Documents
		return err
	})
	if err != nil {
		return u, fmt.Errorf("measure %w", err)
	}
	return u, nil
}

func usageOf(ctx context.Context, c *conn) (u app.ClusterUsage, err error) {
	var tables []table
	shared := false
	err = c.query(func(row scanner) error {
		var isolation app.Isolation
		var name string
		if err := row.Scan(&isolation, &name); err != nil {
			return err
		}
		u.Namespaces++
		if isolation == app.IsolationShared {
			shared = true
			return nil
		}
		t, err := parseTable(isolation, name)
		tables = append(tables, t)
		return err
	}, `SELECT isolation, collection FROM namespaces`)
	if err != nil {
		return u, err
	}
	if shared {
		tables = append(tables, sharedTable)
	}
	for _, t := range tables {
		// A statement is short, the loop may not be.
		if err := ctx.Err(); err != nil {
			return u, err
		}
		var n int64
		// Not kept: it is one statement for each table.
		if err := c.raw.QueryRowContext(context.Background(), "SELECT count(*) FROM "+t.name.sql()).Scan(&n); err != nil {
			return u, err
		}
		u.Documents += n
	}
	return u, nil
}

// fileSize is how many bytes a file and its log take on disk. It asks the
// folder, and opens nothing.
func fileSize(path string) (int64, error) {
	var sum int64
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(path + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		sum += info.Size()
	}
	return sum, nil
}
