package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"tenantry/app"
)

func openTestCluster(t testing.TB, dir string, opts ClusterOptions) *Cluster {
	t.Helper()
	if err := ofdLocking(); err != nil {
		t.Fatal(err)
	}
	c, err := OpenCluster(context.Background(), dir, "default", opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeTestCluster(t, c) })
	return c
}

func closeTestCluster(t testing.TB, c *Cluster) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func located(t testing.TB, c *Cluster, slug string) app.Namespace {
	t.Helper()
	id := app.NewID[app.OrganizationID]()
	p, err := c.Locate(id, slug, app.IsolationCollection)
	if err != nil {
		t.Fatal(err)
	}
	return app.Namespace{Organization: id, Placement: p}
}

func provisioned(t testing.TB, c *Cluster, slug string) app.Namespace {
	t.Helper()
	ns := located(t, c, slug)
	if err := c.Provision(context.Background(), ns); err != nil {
		t.Fatal(err)
	}
	return ns
}

func testDocument(id app.DocumentID) app.Document {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	return app.Document{ID: id, Type: "note", Revision: 1, CreatedAt: at, UpdatedAt: at, Data: []byte(`{"text":"abcdefghijklmnopqrstuvwxyz"}`)}
}

// tablesMatchNamespaces checks each file of a closed cluster, with SQLite alone:
// sound, with exactly one table for each namespace that has one, and in the
// shared one with nobody's rows who has no namespace.
func tablesMatchNamespaces(t *testing.T, dir string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for _, path := range paths {
		db, err := sql.Open("sqlite", dsn(path, true, defaultCacheKiB))
		if err != nil {
			t.Fatal(err)
		}
		var verdict string
		if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("%s: integrity_check: %s %v", path, verdict, err)
		}
		tables := column(t, db, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'org\_%' ESCAPE '\' ORDER BY name`)
		names := column(t, db, `SELECT collection FROM namespaces WHERE isolation <> 'shared' ORDER BY collection`)
		if strings.Join(tables, " ") != strings.Join(names, " ") {
			t.Errorf("%s: tables %v, namespaces %v", path, tables, names)
		}
		if strays := column(t, db, `SELECT DISTINCT org_id FROM shared WHERE org_id NOT IN (SELECT organization_id FROM namespaces WHERE isolation = 'shared')`); len(strays) > 0 {
			t.Errorf("%s: documents of %v, who are not there", path, strays)
		}
		if strays := column(t, db, `SELECT organization_id || isolation FROM changes EXCEPT SELECT organization_id || isolation FROM namespaces`); len(strays) > 0 {
			t.Errorf("%s: notes of %v, who are not there", path, strays)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func column(t *testing.T, db *sql.DB, query string, args ...any) (list []string) {
	t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	sort.Strings(list)
	return list
}

func shardFiles(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".db") {
			n++
		}
	}
	return n
}

func TestClusterOpensFilesWhenTheyAreUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := openTestCluster(t, dir, ClusterOptions{})
	for i := range 200 { // Locate writes nothing
		located(t, c, fmt.Sprintf("org-%d", i))
	}
	if n := shardFiles(t, dir); n != 0 {
		t.Fatalf("%d files before anything was provisioned", n)
	}
	ns := provisioned(t, c, "acme")
	if n := shardFiles(t, dir); n != 1 {
		t.Fatalf("%d files after one organization", n)
	}
	// Asking for what is not there makes no file either.
	for _, s := range []string{"shard-00", "shard-63", "shard-999"} {
		if s == ns.Placement.Database {
			continue
		}
		other := ns
		other.Placement.Database = s
		if _, err := c.Document(context.Background(), other, "a"); !errors.Is(err, app.ErrNotFound) {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if n := shardFiles(t, dir); n != 1 {
		t.Fatalf("%d files after reading", n)
	}
}

// Files that are full take no more organizations; those that they have stay,
// also when the cluster is opened again, and room that comes is used.
func TestFullShardsAreFollowedByOthers(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	const shards, full, organizations = 2, 5, 40
	open := func() *Cluster {
		c := openTestCluster(t, dir, ClusterOptions{Shards: shards})
		c.full = full
		return c
	}
	c := open()
	all := make([]app.Namespace, 0, organizations)
	for i := range organizations {
		if i == organizations/2 {
			closeTestCluster(t, c)
			c = open()
		}
		ns := provisioned(t, c, fmt.Sprintf("org-%d", i))
		if err := c.InsertDocument(ctx, ns, testDocument("first")); err != nil {
			t.Fatal(err)
		}
		all = append(all, ns)
	}
	count := map[string]int64{}
	for _, ns := range all {
		count[ns.Placement.Database]++
		if _, err := c.Document(ctx, ns, "first"); err != nil {
			t.Error(err)
		}
	}
	for name, n := range count {
		if n > full || n != c.tables(name) {
			t.Errorf("%s has %d organizations and says that it has %d; it is full with %d", name, n, c.tables(name), full)
		}
	}
	if len(count) < organizations/full {
		t.Errorf("%d organizations in %d files: %v", organizations, len(count), count)
	}
	for _, ns := range all {
		if err := c.Drop(ctx, ns); err != nil {
			t.Fatal(err)
		}
	}
	if ns := located(t, c, "next"); ns.Placement.Database >= shardName(shards) {
		t.Errorf("with all of them empty, the next goes to %s", ns.Placement.Database)
	}
}
