package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tenantry/app"
)

const pageSize = 4096

// rootOf is the number of the page where a table or index begins.
func rootOf(t *testing.T, path, name string) int64 {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, true, defaultCacheKiB))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var page int64
	if err := db.QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = ?", name).Scan(&page); err != nil {
		t.Fatal(err)
	}
	return page
}

// scribble writes over a closed file.
func scribble(t *testing.T, path string, offset int64, with []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(with, offset); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// damageTable spoils the page where the table of things begins.
func damageTable(t *testing.T, path string) {
	t.Helper()
	scribble(t, path, (rootOf(t, path, "things")-1)*pageSize, []byte{0xff, 0xff, 0xff, 0xff})
}

// keep remembers a closed file, to put it back.
func keep(t *testing.T, path string) (restore func()) {
	t.Helper()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return func() { write(t, path, string(whole)) }
}

func isDamaged(t *testing.T, err error) {
	t.Helper()
	var e *app.Error
	if !errors.As(err, &e) || e.Code != "storage_damaged" || !errors.Is(err, app.ErrUnavailable) {
		t.Fatalf("answered %v, want that the file is damaged", err)
	}
}

func TestADamagedPage(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	read := func(d *database) error {
		return d.read(ctx, func(c *conn) error {
			var n int
			return c.queryRow("SELECT count(body) FROM things NOT INDEXED").Scan(&n)
		})
	}
	for name, meet := range map[string]func(d *database) error{
		"met by a reader": read,
		"met by a writer": func(d *database) error { return insertThing(ctx, d, "new", "") },
		"met by a check": func(d *database) error {
			if err := d.check(ctx); err != nil {
				return err
			}
			return d.health(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, path := oldFile(t)
			restore := keep(t, path)
			damageTable(t, path)
			withDatabase(t, path, testOptions(dir), func(d *database) {
				isDamaged(t, meet(d))
				isDamaged(t, d.health(ctx))
				isDamaged(t, insertThing(ctx, d, "new", ""))
				if err := d.read(ctx, func(c *conn) error { // what can be read is served
					var n int
					return c.queryRow("SELECT count(*) FROM schema_history").Scan(&n)
				}); err != nil {
					t.Errorf("a sound page: %v", err)
				}
			})
			// It is known from the first moment of the next start, and stays so.
			withDatabase(t, path, testOptions(dir), func(d *database) {
				isDamaged(t, d.health(ctx))
				isDamaged(t, insertThing(ctx, d, "new", ""))
				if err := d.check(ctx); err != nil {
					t.Error(err)
				}
				isDamaged(t, d.health(ctx))
			})
			// A backup in its place is found sound, and all goes on.
			restore()
			withDatabase(t, path, testOptions(dir), func(d *database) {
				waitUntil(t, func() bool { return d.health(ctx) == nil })
				if err := insertThing(ctx, d, "new", ""); err != nil {
					t.Error(err)
				}
			})
			withDatabase(t, path, testOptions(dir), func(d *database) {
				if err := d.health(ctx); err != nil {
					t.Errorf("after another start: %v", err)
				}
			})
		})
	}
}

// The whole group is told when one of it meets damage, and nothing of it is
// half there.
func TestDamageInTheMiddleOfAGroup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := dir + "/test.db"
	opts := testOptions(dir, "CREATE TABLE parts (id TEXT PRIMARY KEY) STRICT; INSERT INTO parts VALUES ('a');")
	withDatabase(t, path, opts, func(*database) {})
	damageTable(t, path)
	withDatabase(t, path, opts, func(d *database) {
		part := func(id string) func(*conn) error {
			return func(c *conn) error {
				_, err := c.exec("INSERT INTO parts (id) VALUES (?)", id)
				return err
			}
		}
		for _, err := range group(t, d, part("b"), adds("1"), part("c")) {
			isDamaged(t, err)
		}
		var n int
		if err := d.read(context.Background(), func(c *conn) error {
			return c.queryRow("SELECT count(*) FROM parts").Scan(&n)
		}); err != nil || n != 1 {
			t.Errorf("%d parts, %v", n, err)
		}
	})
}

func TestADamagedHeaderIsRefused(t *testing.T) {
	t.Parallel()
	dir, path := oldFile(t)
	restore := keep(t, path)
	scribble(t, path, 0, []byte("garbage garbage!"))
	isDamaged(t, refused(t, path, testOptions(dir)))
	restore()
	withDatabase(t, path, testOptions(dir), func(d *database) {
		waitUntil(t, func() bool { return d.health(context.Background()) == nil })
		if n := len(things(t, d)); n != 10 {
			t.Errorf("%d rows", n)
		}
	})
}

// killed is a file as a server that was killed after 40 acknowledged writes
// leaves it, all of them still in its log.
func killed(t *testing.T) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	path = filepath.Join(dir, "test.db")
	server := startChild(t, "", "crash", dir)
	server.must("ready")
	server.tell()
	server.must("acknowledged")
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait()
	return dir, path
}

// The index of the log is rebuilt from the log, whatever is in it.
func TestGarbageInTheIndexOfTheLog(t *testing.T) {
	t.Parallel()
	dir, path := killed(t)
	info, err := os.Stat(path + "-shm")
	if err != nil {
		t.Fatal(err)
	}
	garbage := make([]byte, info.Size())
	for i := range garbage {
		garbage[i] = byte(i*7 + 3)
	}
	scribble(t, path+"-shm", 0, garbage)
	if n := len(things(t, openTestDatabase(t, path, testOptions(dir)))); n != 40 {
		t.Errorf("%d rows of 40", n)
	}
	isSound(t, path)
}

// A log that is damaged counts up to the damage: whole groups, in order.
func TestADamagedLogEndsThere(t *testing.T) {
	t.Parallel()
	dir, path := killed(t)
	info, err := os.Stat(path + "-wal")
	if err != nil || info.Size() < 20*pageSize {
		t.Fatalf("the log has %v bytes: %v", info, err)
	}
	scribble(t, path+"-wal", info.Size()*3/4, []byte{0xff, 0x00, 0xff, 0x00, 0xff})
	all := things(t, openTestDatabase(t, path, testOptions(dir)))
	if len(all) < 20 || len(all) == 40 {
		t.Errorf("%d rows of 40", len(all))
	}
	for i := range len(all) - 20 {
		if !all[fmt.Sprintf("after-%d", i)] {
			t.Errorf("%d rows, and the %d. is not among them", len(all), i)
		}
	}
	isSound(t, path)
}
