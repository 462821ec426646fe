package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app"
)

// twoShards is a closed cluster of two organizations in two files, with a
// document each, and the paths of the files.
func twoShards(t *testing.T) (dir string, orgs [2]app.Namespace, paths [2]string) {
	t.Helper()
	dir = t.TempDir()
	c := openTestCluster(t, dir, ClusterOptions{Shards: 8})
	orgs[0] = provisioned(t, c, "acme")
	for orgs[1] = located(t, c, "bolt"); orgs[1].Placement.Database == orgs[0].Placement.Database; {
		orgs[1] = located(t, c, "bolt")
	}
	if err := c.Provision(context.Background(), orgs[1]); err != nil {
		t.Fatal(err)
	}
	for i, ns := range orgs {
		if err := c.InsertDocument(context.Background(), ns, testDocument("first")); err != nil {
			t.Fatal(err)
		}
		paths[i] = filepath.Join(dir, ns.Placement.Database+".db")
	}
	closeTestCluster(t, c)
	return dir, orgs, paths
}

// works checks that an organization can be used.
func works(t *testing.T, c *Cluster, ns app.Namespace, id app.DocumentID) {
	t.Helper()
	ctx := context.Background()
	if err := c.InsertDocument(ctx, ns, testDocument(id)); err != nil {
		t.Errorf("the sound shard: %v", err)
	}
	if _, err := c.Document(ctx, ns, id); err != nil {
		t.Errorf("the sound shard: %v", err)
	}
}

// A flipped bit in a document breaks nothing that SQLite looks at.
func TestAFlippedBitInADocument(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, flip := range map[string]func(t *testing.T, path string){
		"in its data": func(t *testing.T, path string) {
			replaceOnce(t, path, []byte("abcdefghijklmnop"), []byte("abcdefgxijklmnop"))
		},
		// Its id and type stand side by side in the row.
		"in its type":     func(t *testing.T, path string) { replaceOnce(t, path, []byte("firstnote"), []byte("firstnute")) },
		"a missing type":  func(t *testing.T, path string) { inFile(t, path, "UPDATE org_acme SET type = NULL") },
		"another's row":   func(t *testing.T, path string) { inFile(t, path, "UPDATE org_acme SET id = 'second'") },
		"a missing table": func(t *testing.T, path string) { inFile(t, path, "DROP TABLE org_acme") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, orgs, paths := twoShards(t)
			flip(t, paths[0])
			isSound(t, paths[0])
			id := app.DocumentID("first")
			if name == "another's row" {
				id = "second"
			}
			c := openTestCluster(t, dir, ClusterOptions{Shards: 8})
			if name == "a missing table" {
				s := c.hold(orgs[0].Placement.Database)
				_ = c.open(ctx, s, existing)
				if err := s.db.check(ctx); err != nil {
					t.Fatal(err)
				}
			} else {
				_, err := c.Document(ctx, orgs[0], id)
				isDamaged(t, err)
				_, err = c.ListDocuments(ctx, orgs[0], app.DocumentQuery{Limit: 10})
				isDamaged(t, err)
			}
			isDamaged(t, c.InsertDocument(ctx, orgs[0], testDocument("new")))
			isDamaged(t, c.Health(ctx))
			works(t, c, orgs[1], "a")
			closeTestCluster(t, c)
			// Known from the next start on, though nobody has used the file yet.
			c = openTestCluster(t, dir, ClusterOptions{Shards: 8})
			isDamaged(t, c.Health(ctx))
			s := c.hold(orgs[0].Placement.Database)
			if err := s.db.check(ctx); err != nil {
				t.Fatal(err)
			}
			isDamaged(t, c.Health(ctx))
			isDamaged(t, c.InsertDocument(ctx, orgs[0], testDocument("new")))
			works(t, c, orgs[1], "b")
		})
	}
}

func TestAShardWithADamagedHeader(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir, orgs, paths := twoShards(t)
	restore := keep(t, paths[0])
	scribble(t, paths[0], 0, []byte("garbage garbage!"))
	c := openTestCluster(t, dir, ClusterOptions{Shards: 8})
	_, err := c.Document(ctx, orgs[0], "first")
	isDamaged(t, err)
	isDamaged(t, c.Health(ctx))
	works(t, c, orgs[1], "a")
	closeTestCluster(t, c)
	c = openTestCluster(t, dir, ClusterOptions{Shards: 8})
	isDamaged(t, c.Health(ctx))
	works(t, c, orgs[1], "b")
	closeTestCluster(t, c)
	restore()
	c = openTestCluster(t, dir, ClusterOptions{Shards: 8})
	waitUntil(t, func() bool { return c.Health(ctx) == nil })
	works(t, c, orgs[0], "c")
}

// Of 64 files one that a newer version wrote is enough: it would be away for
// the organizations in it.
func TestOneNewerShardIsRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	c := openTestCluster(t, dir, ClusterOptions{})
	for i := range 64 {
		for ns := located(t, c, fmt.Sprintf("org-%d", i)); ; ns = located(t, c, fmt.Sprintf("org-%d", i)) {
			if ns.Placement.Database == shardName(i) {
				if err := c.Provision(ctx, ns); err != nil {
					t.Fatal(err)
				}
				break
			}
		}
	}
	opts := c.databases
	closeTestCluster(t, c)
	opts.schema.migrations = append(slices.Clone(opts.schema.migrations), "CREATE TABLE later (id TEXT PRIMARY KEY) STRICT;")
	opts.appVersion, opts.backups = "v9.1.0", filepath.Join(dir, backupsDir)
	withDatabase(t, filepath.Join(dir, shardName(41)+".db"), opts, func(*database) {})
	var newer *NewerError
	_, err := OpenCluster(ctx, dir, "default", ClusterOptions{})
	if !errors.As(err, &newer) || newer.Wrote != "v9.1.0" || newer.Backup == "" || !strings.Contains(err.Error(), "shard-41") {
		t.Fatalf("the refusal is %v", err)
	}
}

// inFile runs a statement on a closed file.
func inFile(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func replaceOnce(t *testing.T, path string, old, by []byte) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(raw, old) != 1 {
		t.Fatalf("%q is there %d times", old, bytes.Count(raw, old))
	}
	scribble(t, path, int64(bytes.Index(raw, old)), by)
}

// A check that the end of the server cuts short has found nothing: rows that
// are not read to their end look like rows that cannot be read.
func TestACheckCutShortFindsNoDamage(t *testing.T) {
	t.Parallel()
	c := openTestCluster(t, t.TempDir(), ClusterOptions{Shards: 1})
	ns := provisioned(t, c, "acme")
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			if err := c.InsertDocument(context.Background(), ns, testDocument(app.DocumentID(fmt.Sprintf("d%d", i)))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s := c.hold(ns.Placement.Database)
	began := time.Now()
	if err := s.db.check(context.Background()); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(began)
	cut := 0
	for i := range 100 {
		ctx, cancel := context.WithTimeout(context.Background(), whole*time.Duration(i)/100)
		if s.db.check(ctx) != nil {
			cut++
		}
		cancel()
		if err := s.db.health(context.Background()); err != nil {
			t.Fatalf("cut short after %d %% of its time: %v", i, err)
		}
	}
	if cut == 0 {
		t.Error("no check was cut short")
	}
	if _, err := os.Stat(s.path + damageSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Error("a note of damage is left:", err)
	}
}
