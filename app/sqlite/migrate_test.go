package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tenantry/app"
)

const secondMigration = `ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 0; UPDATE things SET size = length(body);`

// oldFile is a closed file of schema 1 with ten things, made by v1.0.0.
func oldFile(t *testing.T) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	path = filepath.Join(dir, "test.db")
	withDatabase(t, path, testOptions(dir), func(d *database) {
		for i := range 10 {
			if err := insertThing(context.Background(), d, fmt.Sprint(i), "body"); err != nil {
				t.Fatal(err)
			}
		}
	})
	return dir, path
}

func withDatabase(t *testing.T, path string, opts databaseOptions, f func(*database)) {
	t.Helper()
	if err := ofdLocking(); err != nil {
		t.Fatal(err)
	}
	d, err := openDatabase(context.Background(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	f(d)
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
}

// refused opens what cannot be opened.
func refused(t *testing.T, path string, opts databaseOptions) error {
	t.Helper()
	if err := ofdLocking(); err != nil {
		t.Fatal(err)
	}
	d, err := openDatabase(context.Background(), path, opts)
	if err == nil {
		_ = d.close()
		t.Fatalf("%s was opened", path)
	}
	return err
}

func backupsOf(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, backupsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, filepath.Join(dir, backupsDir, e.Name()))
	}
	return names
}

func versionOf(t *testing.T, path string) (version, rows int) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, true, defaultCacheKiB))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if err := db.QueryRow("SELECT count(*) FROM things").Scan(&rows); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return version, rows
}

func newerOptions(dir string, more ...string) databaseOptions {
	opts := testOptions(dir, append([]string{secondMigration}, more...)...)
	opts.appVersion = "v2.0.0"
	return opts
}

func TestAMigrationIsBackedUpFirst(t *testing.T) {
	t.Parallel()
	dir, path := oldFile(t)
	withDatabase(t, path, newerOptions(dir), func(d *database) {
		if n := len(things(t, d)); n != 10 {
			t.Errorf("%d rows after the migration", n)
		}
	})
	if version, rows := versionOf(t, path); version != 2 || rows != 10 {
		t.Errorf("the file has schema %d and %d rows", version, rows)
	}
	backups := backupsOf(t, dir)
	if len(backups) != 1 {
		t.Fatalf("the backups are %v", backups)
	}
	isSound(t, backups[0])
	if version, rows := versionOf(t, backups[0]); version != 1 || rows != 10 {
		t.Errorf("the backup has schema %d and %d rows", version, rows)
	}
	if after := backupsOf(t, dir); len(after) != 1 {
		t.Errorf("reading a backup leaves %v", after)
	}
	for _, p := range []string{backups[0], path} {
		info, err := os.Stat(p)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the mode of %s is %v: %v", p, info.Mode(), err)
		}
	}
	if info, err := os.Stat(filepath.Dir(backups[0])); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the mode of the folder of backups is %v: %v", info.Mode(), err)
	}
	// The next start has nothing to do.
	withDatabase(t, path, newerOptions(dir), func(*database) {})
	if n := len(backupsOf(t, dir)); n != 1 {
		t.Errorf("%d backups after another start", n)
	}
	// A backup is what the older version goes on with.
	if err := os.Rename(backups[0], path); err != nil {
		t.Fatal(err)
	}
	withDatabase(t, path, testOptions(dir), func(d *database) {
		if err := insertThing(context.Background(), d, "another", ""); err != nil {
			t.Error(err)
		}
	})
}

func TestANewFileNeedsNoBackup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	withDatabase(t, filepath.Join(dir, "test.db"), newerOptions(dir), func(*database) {})
	if list := backupsOf(t, dir); len(list) != 0 {
		t.Errorf("there are %v", list)
	}
}

func TestAFailedMigrationChangesNothing(t *testing.T) {
	t.Parallel()
	dir, path := oldFile(t)
	err := refused(t, path, newerOptions(dir,
		`CREATE TABLE more (id TEXT PRIMARY KEY) STRICT; DELETE FROM things; INSERT INTO no_such_table VALUES (1);`))
	if !strings.Contains(err.Error(), "schema 2 to 3") {
		t.Errorf("the refusal says %q", err)
	}
	// Every version is a step of its own: the second is done, the third not begun.
	if version, rows := versionOf(t, path); version != 2 || rows != 10 {
		t.Errorf("the file has schema %d and %d rows", version, rows)
	}
	isSound(t, path)
	// With a migration that works it goes on from there.
	withDatabase(t, path, newerOptions(dir, `CREATE TABLE more (id TEXT PRIMARY KEY) STRICT;`), func(*database) {})
	if version, rows := versionOf(t, path); version != 3 || rows != 10 {
		t.Errorf("then the file has schema %d and %d rows", version, rows)
	}
	for _, b := range backupsOf(t, dir) {
		isSound(t, b)
	}
	// And the oldest program is told of the backup that it can read.
	var newer *NewerError
	if err := refused(t, path, testOptions(dir)); !errors.As(err, &newer) {
		t.Fatalf("the refusal is %v", err)
	}
	if version, rows := versionOf(t, newer.Backup); version != 1 || rows != 10 {
		t.Errorf("the backup that it names has schema %d and %d rows", version, rows)
	}
}

func TestNoMigrationWithoutABackup(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, dir, path string){
		"no place": func(t *testing.T, dir, _ string) {
			if err := os.WriteFile(filepath.Join(dir, backupsDir), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"damaged": func(t *testing.T, _, path string) { damageTable(t, path) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, path := oldFile(t)
			spoil(t, dir, path)
			err := refused(t, path, newerOptions(dir))
			if !strings.Contains(err.Error(), "no migration without a backup") {
				t.Errorf("the refusal says %q", err)
			}
			db, err := sql.Open("sqlite", dsn(path, true, defaultCacheKiB))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			var version int
			if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil || version != 1 {
				t.Errorf("the file has schema %d: %v", version, err)
			}
			if name == "damaged" { // nothing that could be taken for a good one
				if list := backupsOf(t, dir); len(list) != 0 {
					t.Errorf("the backups are %v", list)
				}
			}
		})
	}
}

// A server that was killed while it made a backup leaves nothing that could be
// taken for one, and the next start makes another.
func TestAnUnfinishedBackupIsNone(t *testing.T) {
	t.Parallel()
	dir, path := oldFile(t)
	if err := os.Mkdir(filepath.Join(dir, backupsDir), 0o700); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(dir, backupsDir, "test-v1-20260102T030405.678Z.db"+unfinished)
	if err := os.WriteFile(half, []byte("SQLite format 3\x00 and no more"), 0o600); err != nil {
		t.Fatal(err)
	}
	withDatabase(t, path, newerOptions(dir), func(*database) {})
	list := backupsOf(t, dir)
	if len(list) != 1 || list[0] == half || !strings.HasSuffix(list[0], ".db") {
		t.Fatalf("the backups are %v", list)
	}
	isSound(t, list[0])
}

// Killed between backup and migration, the next start does both.
func TestKilledBetweenBackupAndMigration(t *testing.T) {
	t.Parallel()
	dir, path := oldFile(t)
	server := startChild(t, "", "migrate", dir)
	server.must("backed up")
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait()
	if list := backupsOf(t, dir); len(list) != 1 {
		t.Fatalf("the backups are %v", list)
	}
	withDatabase(t, path, newerOptions(dir), func(*database) {})
	if version, rows := versionOf(t, path); version != 2 || rows != 10 {
		t.Errorf("the file has schema %d and %d rows", version, rows)
	}
	for _, b := range backupsOf(t, dir) {
		isSound(t, b)
	}
}

func TestDataOfANewerVersionIsRefused(t *testing.T) {
	t.Parallel()
	dir, path := oldFile(t)
	withDatabase(t, path, newerOptions(dir), func(*database) {})
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var newer *NewerError
	err = refused(t, path, testOptions(dir))
	if !errors.As(err, &newer) {
		t.Fatalf("the refusal is %v", err)
	}
	if newer.Wrote != "v2.0.0" || newer.Version != 2 || newer.Known != 1 || newer.Backup != backupsOf(t, dir)[0] {
		t.Errorf("the refusal is %+v", newer)
	}
	for _, want := range []string{"v2.0.0", newer.Backup, "test.db"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the refusal %q does not name %s", err, want)
		}
	}
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(before) {
		t.Errorf("the refusal changed the file: %v", err)
	}
}

func TestWhatIsNotOursIsRefused(t *testing.T) {
	t.Parallel()
	foreign := func(statements string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(statements); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, tc := range map[string]struct {
		make func(t *testing.T, path string)
		want string
	}{
		"tables of another program":   {foreign("CREATE TABLE cookies (id INTEGER)"), "some other program"},
		"the mark of another program": {foreign("PRAGMA application_id = 252006675; CREATE TABLE t (id INTEGER)"), "some other program"},
		"an empty one of another":     {foreign("PRAGMA application_id = 252006675"), "some other program"},
		"versions of another":         {foreign("PRAGMA user_version = 7"), "some other program"},
		"a folder":                    {func(t *testing.T, path string) { mkdir(t, path) }, "is a folder"},
		"no database":                 {func(t *testing.T, path string) { write(t, path, strings.Repeat("not a database ", 500)) }, "damaged"},
		"less than a header":          {func(t *testing.T, path string) { write(t, path, "SQLite format 3\x00") }, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "test.db")
			tc.make(t, path)
			if err := refused(t, path, testOptions(dir)); !strings.Contains(err.Error(), tc.want) {
				t.Errorf("the refusal says %q, want %q in it", err, tc.want)
			}
		})
	}
}

// A file without a byte is what a start that was killed at once leaves behind.
func TestAFileOfNoBytesIsMadeAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	write(t, path, "")
	d := openTestDatabase(t, path, testOptions(dir))
	if err := insertThing(context.Background(), d, "a", ""); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// childMigrate is a server of the newer version that stops between its backup and
// the end of the migration.
func childMigrate(args []string) error {
	if err := ofdLocking(); err != nil {
		return err
	}
	opts := newerOptions(args[0])
	calls := 0
	opts.clock = func() time.Time {
		if calls++; calls == 2 { // the first names the backup, the second dates the migration
			fmt.Println("backed up")
			told() // never: it is killed here
		}
		return app.Now()
	}
	d, err := openDatabase(context.Background(), filepath.Join(args[0], "test.db"), opts)
	if err != nil {
		return err
	}
	return d.close()
}
