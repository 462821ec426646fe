package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"tenantry/app"
)

// Some promises are about other processes. These are what such a process does;
// each is this test binary, run again with one of the names.
var childRoles = map[string]func(args []string) error{
	"hold":    childHold,
	"visit":   childVisit,
	"crash":   childCrash,
	"migrate": childMigrate,
}

const childRole = "TENANTRY_TEST_CHILD"

func TestMain(m *testing.M) {
	role, known := childRoles[os.Getenv(childRole)]
	if !known {
		// Every step of a model is made durable. The command line may want more.
		_ = flag.Set("rapid.checks", "25")
		os.Exit(m.Run())
	}
	if err := role(os.Args[1:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// child is a process that says on its output, line by line, how far it is,
// and goes on when it is told.
type child struct {
	*exec.Cmd
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

func startChild(t *testing.T, dir, role string, args ...string) *child {
	t.Helper()
	return startChildIn(t, nil, dir, role, args...)
}

// startChildIn starts it behind another command, which gives it another
// environment to live in.
func startChildIn(t *testing.T, before []string, dir, role string, args ...string) *child {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := append(append(append([]string{}, before...), binary), args...)
	c := &child{Cmd: exec.Command(command[0], command[1:]...), t: t}
	c.Env = append(os.Environ(), childRole+"="+role)
	c.Dir = dir
	c.Stderr = os.Stderr
	c.begin()
	return c
}

func (c *child) begin() {
	c.t.Helper()
	in, err := c.StdinPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	c.in, c.out = in, bufio.NewScanner(out)
	if err := c.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
	})
}

// says waits for the child's next line.
func (c *child) says() string {
	if !c.out.Scan() {
		return ""
	}
	return c.out.Text()
}

func (c *child) must(want string) {
	c.t.Helper()
	if got := c.says(); got != want {
		c.t.Fatalf("the other process said %q, want %q", got, want)
	}
}

func (c *child) tell() {
	c.t.Helper()
	if _, err := io.WriteString(c.in, "\n"); err != nil {
		c.t.Fatal(err)
	}
}

func told() { _, _ = bufio.NewReader(os.Stdin).ReadString('\n') }

// childHold takes a folder until it is told to go, or says who has it.
func childHold(args []string) error {
	f, err := OpenFolder(args[0], FolderOptions{})
	var held *HeldError
	if errors.As(err, &held) {
		return fmt.Errorf("held by %s", held.Holder)
	}
	if err != nil {
		return err
	}
	fmt.Println("taken")
	told()
	return f.Close()
}

// childVisit is some other program that looks into a database and leaves.
func childVisit(args []string) error {
	db, err := sql.Open("sqlite", args[0])
	if err != nil {
		return err
	}
	var n int
	if err := db.QueryRow("SELECT count(*) FROM things").Scan(&n); err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	fmt.Println("seen", n)
	return nil
}

// childCrash is a server that reads its own live file with other means than
// SQLite, and writes on until it is killed.
func childCrash(args []string) error {
	ctx := context.Background()
	f, err := OpenFolder(args[0], FolderOptions{})
	if err != nil {
		return err
	}
	path := f.Path() + "/test.db"
	d, err := openDatabase(ctx, path, testOptions(f.Path()))
	if err != nil {
		return err
	}
	for i := range 20 {
		if err := insertThing(ctx, d, fmt.Sprintf("before-%d", i), ""); err != nil {
			return err
		}
	}
	live, err := os.Open(path)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, live); err != nil {
		return err
	}
	if err := live.Close(); err != nil {
		return err
	}
	fmt.Println("ready")
	told()
	for i := range 20 {
		if err := insertThing(ctx, d, fmt.Sprintf("after-%d", i), ""); err != nil {
			return err
		}
	}
	fmt.Println("acknowledged")
	told() // never: it is killed here
	return nil
}

// thingsSchema is a file with one table, to test the files themselves.
func thingsSchema(more ...string) schema {
	return schema{kind: "test", migrations: append([]string{
		`CREATE TABLE things (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
		 CREATE INDEX things_by_body ON things (body);`,
	}, more...)}
}

func testOptions(dir string, more ...string) databaseOptions {
	return databaseOptions{schema: thingsSchema(more...), backups: dir + "/" + backupsDir, appVersion: "v1.0.0", clock: app.Now}
}

func insertThing(ctx context.Context, d *database, id, body string) error {
	return d.write(ctx, func(c *conn) error { return addThing(c, id, body) })
}

func addThing(c *conn, id, body string) error {
	_, err := c.exec("INSERT INTO things (id, body) VALUES (?, ?)", id, body)
	return err
}

func openTestDatabase(t testing.TB, path string, opts databaseOptions) *database {
	t.Helper()
	if err := ofdLocking(); err != nil {
		t.Fatal(err)
	}
	d, err := openDatabase(context.Background(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

// newTestDatabase is a file with an empty table of things.
func newTestDatabase(t testing.TB) *database {
	t.Helper()
	dir := t.TempDir()
	return openTestDatabase(t, dir+"/test.db", testOptions(dir))
}

// things reads the ids of all things.
func things(t testing.TB, d *database) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	err := d.read(context.Background(), func(c *conn) error {
		return c.query(func(row scanner) error {
			var id string
			if err := row.Scan(&id); err != nil {
				return err
			}
			all[id] = true
			return nil
		}, "SELECT id FROM things NOT INDEXED")
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// isSound checks a file with SQLite alone.
func isSound(t testing.TB, path string) {
	t.Helper()
	verdict, err := checkFile(context.Background(), path, "PRAGMA integrity_check")
	if err != nil || verdict != "ok" {
		t.Fatalf("integrity_check of %s: %s %v", path, verdict, err)
	}
}
