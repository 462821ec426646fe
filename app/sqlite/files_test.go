package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tenantry/app"
)

func locatedIn(t testing.TB, c *Cluster, isolation app.Isolation, slug string) app.Namespace {
	t.Helper()
	id := app.NewID[app.OrganizationID]()
	p, err := c.Locate(id, slug, isolation)
	if err != nil {
		t.Fatal(err)
	}
	return app.Namespace{Organization: id, Placement: p}
}

func provisionedIn(t testing.TB, c *Cluster, isolation app.Isolation, slug string) app.Namespace {
	t.Helper()
	ns := locatedIn(t, c, isolation, slug)
	if err := c.Provision(context.Background(), ns); err != nil {
		t.Fatal(err)
	}
	return ns
}

// openFiles counts the files of one organization that are open, by looking.
func openFiles(c *Cluster) (n int) {
	for _, s := range c.known() {
		s.mu.RLock()
		if s.ofOne && s.db != nil {
			n++
		}
		s.mu.RUnlock()
	}
	return n
}

// With a file for each organization, few of them are open at a time, whoever
// comes; and none is opened twice.
func TestFewFilesOfOneOrganizationAreOpen(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	const keep, organizations, clients = 4, 24, 8
	c := openTestCluster(t, dir, ClusterOptions{OpenFiles: keep})
	all := make([]app.Namespace, organizations)
	for i := range all {
		all[i] = provisionedIn(t, c, app.IsolationDatabase, fmt.Sprintf("org-%d", i))
		if n := openFiles(c); n > keep {
			t.Fatalf("%d files are open", n)
		}
	}
	var wait sync.WaitGroup
	for n := range clients {
		wait.Go(func() {
			for i := range organizations * 2 {
				ns := all[(i*(n+1)+n)%organizations]
				id := app.DocumentID(fmt.Sprintf("d-%d-%d", n, i))
				if err := c.InsertDocument(ctx, ns, testDocument(id)); err != nil {
					t.Error(err)
				}
				if _, err := c.Document(ctx, ns, id); err != nil {
					t.Error(err)
				}
				if open := openFiles(c); open > keep+clients {
					t.Errorf("%d files are open", open)
				}
			}
		})
	}
	wait.Wait()
	// One more brings what a burst has opened back to what is kept.
	if _, err := c.Document(ctx, all[0], "never"); !errors.Is(err, app.ErrNotFound) {
		t.Error(err)
	}
	provisionedIn(t, c, app.IsolationDatabase, "last")
	if n := openFiles(c); n > keep {
		t.Errorf("%d files are open after the burst", n)
	}
	c.mu.Lock()
	if c.opened != c.idle.Len() || len(c.shards) != c.opened {
		t.Errorf("%d files are counted as open, %d are idle, %d are known", c.opened, c.idle.Len(), len(c.shards))
	}
	c.mu.Unlock()
	total := 0
	for _, ns := range all {
		stats, err := c.Stats(ctx, ns)
		if err != nil {
			t.Fatal(err)
		}
		total += int(stats.Documents)
	}
	if want := clients * organizations * 2; total != want {
		t.Errorf("%d documents are there, %d were acknowledged", total, want)
	}
}

// What nobody uses for long is closed, and what is in use is not.
func TestAnIdleFileIsClosed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := openTestCluster(t, t.TempDir(), ClusterOptions{})
	idle, used := provisionedIn(t, c, app.IsolationDatabase, "idle"), provisionedIn(t, c, app.IsolationDatabase, "used")
	long := func(s *shard) bool { return s.name == idle.Placement.Database }
	if !c.closeIdle(long) || openFiles(c) != 1 {
		t.Fatalf("%d files are open", openFiles(c))
	}
	err := c.use(ctx, used, existing, func(*shard) error {
		if c.closeIdle(func(*shard) bool { return true }) {
			t.Error("a file was closed that is in use")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, ns := range []app.Namespace{used, idle} {
		if err := c.InsertDocument(ctx, ns, testDocument("a")); err != nil {
			t.Error(err)
		}
	}
	if c.closeIdle(func(s *shard) bool { return time.Since(s.used) >= idleFile }) {
		t.Error("a file was closed that was used just now")
	}
}

func filesOf(t *testing.T, dir string, ns app.Namespace) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, ns.Placement.Database+"*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestDropRemovesTheFile(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	c := openTestCluster(t, dir, ClusterOptions{})
	for _, closed := range []bool{false, true} {
		ns := provisionedIn(t, c, app.IsolationDatabase, "acme")
		if err := c.InsertDocument(ctx, ns, testDocument("a")); err != nil {
			t.Fatal(err)
		}
		if closed {
			c.closeIdle(func(*shard) bool { return true })
		}
		if len(filesOf(t, dir, ns)) == 0 {
			t.Fatal("there is no file")
		}
		if err := c.Drop(ctx, ns); err != nil {
			t.Fatal(err)
		}
		if left := filesOf(t, dir, ns); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		if n := openFiles(c); n != 0 || len(c.shards) != 0 {
			t.Errorf("%d files are open, %d known", n, len(c.shards))
		}
	}
}

// A drop that ended anywhere between its beginning and its end has removed the
// namespace for everybody, and the next one, or whoever makes it again, does
// the rest.
func TestADropThatWasCutShort(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, isolation := range []app.Isolation{app.IsolationShared, app.IsolationDatabase} {
		for name, next := range map[string]func(c *Cluster, ns app.Namespace) error{
			"dropped":     func(c *Cluster, ns app.Namespace) error { return c.Drop(ctx, ns) },
			"provisioned": func(c *Cluster, ns app.Namespace) error { return c.Provision(ctx, ns) },
			"received":    func(c *Cluster, ns app.Namespace) error { return c.Receive(ctx, ns) },
		} {
			t.Run(string(isolation)+"/"+name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				c := openTestCluster(t, dir, ClusterOptions{Shards: 1})
				ns, neighbour := provisionedIn(t, c, isolation, "acme"), provisionedIn(t, c, isolation, "bolt")
				for i := range 2*dropBatch + 1 {
					if err := c.InsertDocument(ctx, ns, testDocument(app.DocumentID(fmt.Sprintf("d-%d", i)))); err != nil {
						t.Fatal(err)
					}
				}
				if err := c.InsertDocument(ctx, neighbour, testDocument("d-0")); err != nil {
					t.Fatal(err)
				}
				// As Drop begins, and some of what it does then.
				err := c.use(ctx, ns, existing, func(s *shard) error {
					return s.write(ctx, func(c *conn) error {
						if err := setPhase(c, ns, phaseDropping, 1); err != nil {
							return err
						}
						now, err := lookUp(c, ns)
						if err != nil {
							return err
						}
						_, err = c.exec(now.removeSome(whileDropping), string(ns.Organization), dropBatch)
						return err
					})
				})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.ListDocuments(ctx, ns, app.DocumentQuery{Limit: 1}); !errors.Is(err, app.ErrNotFound) || !errors.Is(err, app.ErrMoved) {
					t.Errorf("who reads: %v", err)
				}
				if err := c.InsertDocument(ctx, ns, testDocument("late")); !errors.Is(err, app.ErrNotFound) {
					t.Errorf("who writes: %v", err)
				}
				if err := next(c, ns); err != nil {
					t.Fatal(err)
				}
				list, err := c.Scan(ctx, ns, app.DocumentQuery{Limit: 1})
				if name == "dropped" {
					if !errors.Is(err, app.ErrNotFound) {
						t.Errorf("after the drop: %v", err)
					}
				} else if err != nil || len(list) != 0 {
					t.Errorf("it begins with %v, %v", list, err)
				}
				if _, err := c.Document(ctx, neighbour, "d-0"); err != nil {
					t.Errorf("the neighbour: %v", err)
				}
			})
		}
	}
}

// A server may end after it has made the file and before the namespace.
func TestAFileWithoutANamespace(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	c := openTestCluster(t, dir, ClusterOptions{})
	for name, content := range map[string]func(ns app.Namespace) error{
		"empty": func(ns app.Namespace) error { return os.WriteFile(c.path(ns.Placement.Database), nil, 0o600) },
		"migrated": func(ns app.Namespace) error {
			return c.use(ctx, ns, create, func(*shard) error { return nil })
		},
	} {
		for _, provision := range []bool{false, true} {
			ns := locatedIn(t, c, app.IsolationDatabase, "acme")
			if err := content(ns); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Document(ctx, ns, "a"); !errors.Is(err, app.ErrMoved) || !errors.Is(err, app.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
			if provision {
				if err := c.Provision(ctx, ns); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if err := c.Drop(ctx, ns); err != nil || len(filesOf(t, dir, ns)) > 0 {
				t.Errorf("%s: %v is left, %v", name, filesOf(t, dir, ns), err)
			}
		}
	}
}
