package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app"
)

func TestReadersAreBoundedAndClosedWhenIdle(t *testing.T) {
	t.Parallel()
	d := newTestDatabase(t)
	ctx := context.Background()
	occupied := make(chan struct{})
	leave := make(chan struct{})
	var wait sync.WaitGroup
	for range defaultReaders {
		wait.Go(func() {
			err := d.read(ctx, func(*conn) error {
				occupied <- struct{}{}
				<-leave
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range defaultReaders {
		<-occupied
	}
	// One more waits as long as it may.
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if err := d.read(short, func(*conn) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one reader too many was answered %v", err)
	}
	close(leave)
	wait.Wait()
	if n := len(d.reads.slots); n != defaultReaders {
		t.Errorf("%d connections are open", n)
	}
	d.reads.closeIdle(time.Now().Add(idleReader / 2))
	if n := len(d.reads.slots); n != defaultReaders {
		t.Errorf("%d connections are left after a short while", n)
	}
	d.reads.closeIdle(time.Now().Add(2 * idleReader))
	if n := len(d.reads.slots); n != 0 {
		t.Errorf("%d connections are left after a long while", n)
	}
	if n := d.reads.db.Stats().OpenConnections; n != 0 {
		t.Errorf("the driver has %d connections", n)
	}
	things(t, d) // and again
}

// A reader that panics takes its connection along, and no other reader.
func TestAPanicWhileReading(t *testing.T) {
	t.Parallel()
	d := newTestDatabase(t)
	for range 2 * defaultReaders {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = d.snapshot(context.Background(), func(*conn) error { panic("reading") })
		}()
	}
	things(t, d)
	if err := insertThing(context.Background(), d, "a", ""); err != nil {
		t.Fatal(err)
	}
}

// All 64 shards in use at once have a bounded number of files open, and few
// when nobody reads.
func TestOpenFilesOfAllShards(t *testing.T) {
	open := func(dir string) (n int) {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("open files are counted on Linux")
		}
		for _, e := range entries {
			if path, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(path, dir+"/") {
				n++
			}
		}
		return n
	}
	ctx := context.Background()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := openTestCluster(t, dir, ClusterOptions{})
	used := map[string]bool{}
	var all []app.Namespace
	for i := 0; len(used) < defaultShards; i++ {
		ns := located(t, c, fmt.Sprintf("org-%d", i))
		if !used[ns.Placement.Database] {
			used[ns.Placement.Database] = true
			all = append(all, ns)
		}
	}
	together(8, func(n int) {
		for i := n; i < len(all); i += 8 {
			if err := errors.Join(c.Provision(ctx, all[i]), c.InsertDocument(ctx, all[i], testDocument("a"))); err != nil {
				t.Error(err)
			}
		}
	})
	together(8, func(int) {
		for _, ns := range all {
			if _, err := c.Stats(ctx, ns); err != nil {
				t.Error(err)
			}
		}
	})
	// The file, its log and its index; for each reader the first two again; and
	// what the check of the file has open or has left open.
	const writing, reading, checking = 3, 2 * shardReaders, 1
	if n := open(dir); n > defaultShards*(writing+reading+checking)+2 {
		t.Errorf("%d files are open", n)
	}
	// While the writer holds a lock, SQLite keeps the files of closed connections
	// for the next ones; however often, there are no more of them.
	for range 3 {
		for _, s := range c.known() {
			s.db.reads.closeIdle(time.Now().Add(2 * idleReader))
		}
		if n := open(dir); n > defaultShards*(writing+shardReaders+checking)+2 {
			t.Errorf("%d files are open when nobody reads", n)
		}
		for _, ns := range all {
			if _, err := c.Stats(ctx, ns); err != nil {
				t.Error(err)
			}
		}
	}
	closeTestCluster(t, c)
	if n := open(dir); n != 0 {
		t.Errorf("%d files are open after closing", n)
	}
}
