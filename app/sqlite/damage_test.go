package sqlite

import (
	"database/sql"
	"os"
	"testing"
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
