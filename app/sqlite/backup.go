package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// unfinished ends the name of a copy that is not checked yet. Only what is
// sound gets the name of a backup.
const unfinished = ".unfinished"

// backUp copies the file as it is now, through SQLite alone, and checks the
// copy. It gives the copy's path.
func backUp(ctx context.Context, c *conn, d *database, version int) (_ string, err error) {
	if err := os.MkdirAll(d.opts.backups, 0o700); err != nil {
		return "", notWritable(d.opts.backups, err)
	}
	stem := filepath.Join(d.opts.backups, fmt.Sprintf("%s-v%d-", strings.ReplaceAll(strings.TrimSuffix(d.name, ".db"), "/", "-"), version))
	if old, err := filepath.Glob(stem + "*" + unfinished); err == nil {
		for _, path := range old { // of a server that was killed meanwhile
			_ = os.Remove(path)
		}
	}
	path := stem + d.opts.clock().UTC().Format("20060102T150405.000Z") + ".db"
	if _, err := os.Lstat(path); err == nil {
		return "", fmt.Errorf("copy to %s: it is there already", path)
	}
	temporary := path + unfinished
	defer func() {
		if err != nil {
			_ = os.Remove(temporary)
		}
	}()
	if err := makePrivate(temporary); err != nil { // SQLite fills an empty file
		return "", err
	}
	if _, err := c.raw.ExecContext(ctx, "VACUUM INTO ?", temporary); err != nil {
		return "", fmt.Errorf("copy to %s: %w", path, err)
	}
	verdict, err := checkFile(ctx, temporary, "PRAGMA integrity_check(1)")
	if err == nil && verdict != "ok" {
		err = errors.New(verdict)
	}
	if err != nil {
		return "", fmt.Errorf("the copy %s is not sound: %w", path, err)
	}
	// It is no live database, so it may be opened beside SQLite.
	if err := syncPath(temporary); err != nil {
		return "", fmt.Errorf("make the copy durable: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return "", err
	}
	if err := syncPath(d.opts.backups); err != nil {
		return "", fmt.Errorf("make the copy durable: %w", err)
	}
	return path, nil
}
