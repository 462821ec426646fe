package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"modernc.org/sqlite"
)

// What was measured about the driver, held so that an upgrade which changes it
// is seen.

// libc is the C library translated to Go; the driver works with exactly the
// version that it was translated with.
func TestLibcIsTheDriversOwn(t *testing.T) {
	t.Parallel()
	version := func(goMod string) string {
		raw, err := os.ReadFile(goMod)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`modernc\.org/libc (v\S+)`).FindSubmatch(raw)
		if found == nil {
			t.Fatalf("%s requires no modernc.org/libc", goMod)
		}
		return string(found[1])
	}
	list := func(args ...string) string {
		out, err := exec.Command("go", append([]string{"list", "-m", "-f"}, args...)...).Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		return strings.TrimSpace(string(out))
	}
	drivers := version(list("{{.GoMod}}", "modernc.org/sqlite"))
	if ours := version(list("{{.GoMod}}", "tenantry")); ours != drivers {
		t.Errorf("go.mod requires modernc.org/libc %s; modernc.org/sqlite was made with %s", ours, drivers)
	}
	if used := list("{{.Version}}", "modernc.org/libc"); used != drivers {
		t.Errorf("modernc.org/libc %s is linked; modernc.org/sqlite was made with %s", used, drivers)
	}
}

func TestEveryConnectionHasOurPragmas(t *testing.T) {
	t.Parallel()
	d := newTestDatabase(t)
	want := map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "trusted_schema": "0",
		"cell_size_check": "1", "temp_store": "2", "secure_delete": "2", "busy_timeout": "5000",
		"auto_vacuum": "2", "application_id": fmt.Sprint(applicationID), "wal_autocheckpoint": "1000",
		"journal_size_limit": fmt.Sprint(journalSizeLimit), "query_only": "0",
	}
	check := func(c *conn) error {
		for name, value := range want {
			var got string
			if err := c.queryRow("PRAGMA " + name).Scan(&got); err != nil {
				return err
			}
			if got != value {
				t.Errorf("PRAGMA %s is %s, want %s", name, got, value)
			}
		}
		if _, err := c.exec(`SELECT "no such column"`); err == nil {
			t.Error("a misspelled column is taken for a string")
		}
		return nil
	}
	if err := d.write(context.Background(), check); err != nil {
		t.Fatal(err)
	}
	want["query_only"] = "1"
	if err := d.read(context.Background(), check); err != nil {
		t.Fatal(err)
	}
	err := d.read(context.Background(), func(c *conn) error { return addThing(c, "a", "") })
	if err == nil {
		t.Error("a connection for reading has written")
	}
}

// POSIX locks vanish when any descriptor of the file is closed. The server
// here has read its own live file; then some other program visits, would take
// itself for the only one, and remove the log under the server's feet.
func TestAVisitorAndACrashLoseNothing(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "linux" {
		if err := ofdLocking(); err != nil || !sqlite.OFDLockingEnabled() {
			t.Fatalf("locks of open file descriptions are not in use: %v", err)
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	server := startChild(t, "", "crash", dir)
	server.must("ready")
	visitor := startChild(t, "", "visit", path)
	visitor.must("seen 20")
	_ = visitor.Wait()
	server.tell()
	server.must("acknowledged")
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait()
	if n := len(things(t, openTestDatabase(t, path, testOptions(dir)))); n != 40 {
		t.Fatalf("%d of 40 acknowledged rows are there", n)
	}
	isSound(t, path)
}

// Connections that switch a fresh file to a write-ahead log at the same time
// refuse one another; the writer alone does it, before anybody else is let in.
func TestTwelveReadersOfAFreshFile(t *testing.T) {
	t.Parallel()
	for range 25 {
		dir := t.TempDir()
		opts := testOptions(dir)
		opts.readers = 12
		d := openTestDatabase(t, filepath.Join(dir, "test.db"), opts)
		together(12, func(i int) {
			err := d.read(context.Background(), func(c *conn) error {
				var n int
				return c.queryRow("SELECT count(*) FROM things").Scan(&n)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// Of forty who read and then write, most fail with deferred transactions; none
// through the writer, which begins immediate ones.
func TestReadThenWriteNeverFails(t *testing.T) {
	t.Parallel()
	d := newTestDatabase(t)
	ctx := context.Background()
	if err := insertThing(ctx, d, "counter", "0"); err != nil {
		t.Fatal(err)
	}
	together(40, func(int) {
		for range 10 {
			err := d.write(ctx, func(c *conn) error {
				var n int
				if err := c.queryRow("SELECT CAST(body AS INTEGER) FROM things WHERE id = 'counter'").Scan(&n); err != nil {
					return err
				}
				_, err := c.exec("UPDATE things SET body = ? WHERE id = 'counter'", fmt.Sprint(n+1))
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	var n string
	if err := d.read(ctx, func(c *conn) error {
		return c.queryRow("SELECT body FROM things WHERE id = 'counter'").Scan(&n)
	}); err != nil || n != "400" {
		t.Fatalf("400 increments make %s: %v", n, err)
	}
}

// A plain path ignores ?mode=ro, which is why dsn makes a URI.
func TestOnlyAURICanBeReadOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "odd name%20?#&.db")
	d := openTestDatabase(t, path, testOptions(filepath.Dir(path)))
	if err := insertThing(context.Background(), d, "a", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the file is not where it should be: %v", err)
	}
	db, err := sql.Open("sqlite", dsn(path, true, defaultCacheKiB))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec("PRAGMA query_only = 0; DELETE FROM things"); err == nil {
		t.Fatal("a read-only connection has written")
	}
	if !things(t, d)["a"] {
		t.Fatal("the row is gone")
	}
}

// together runs f n times at the same moment.
func together(n int, f func(i int)) {
	start := make(chan struct{})
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wait.Wait()
}
