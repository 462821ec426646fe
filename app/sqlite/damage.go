package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	// firstCheck is when after opening a file is checked: not while whoever
	// starts the server waits for its first answer.
	firstCheck = time.Second
	checkEvery = 24 * time.Hour

	// damageSuffix names the note beside a damaged file. Without it the server
	// would write to the file again from its next start until the damage is met
	// for the second time.
	damageSuffix = ".damaged"
)

// noteDamage leaves the note. Failing to is no reason to do anything else.
func noteDamage(path string, cause error) {
	_ = os.WriteFile(path+damageSuffix, []byte(cause.Error()+"\n"), 0o600)
}

// recallDamage marks a file that was found damaged before it was opened.
func (d *database) recallDamage() {
	raw, err := os.ReadFile(d.path + damageSuffix)
	if err != nil {
		return
	}
	found := errDamaged(d.name, fmt.Errorf("found before this start: %s", raw))
	d.state.recalled = &found
	d.state.damage.Store(&found)
	d.log.Error("a database file was found damaged before; writing to it has stopped until it is checked", "file", d.path)
}

// forgiveDamage takes the mark from a file that was found sound after all:
// somebody has restored it.
func (d *database) forgiveDamage() {
	if d.state.recalled == nil || d.state.damage.Load() != d.state.recalled {
		return
	}
	if err := os.Remove(d.path + damageSuffix); err != nil {
		d.log.Warn("the note of damage beside a sound file cannot be removed", "file", d.path, "error", err)
		return
	}
	d.state.damage.CompareAndSwap(d.state.recalled, nil)
	d.log.Info("a database file that was damaged is sound again; writing goes on", "file", d.path)
}

// oneCheck lets one file be checked at a time: a check reads the whole file.
var oneCheck = make(chan struct{}, 1)

// watch checks the file soon after it was opened and every day, so that damage
// is found before a backup of it replaces a good one.
func (d *database) watch(ctx context.Context) {
	wait := firstCheck
	if d.state.recalled != nil {
		wait = 0 // somebody waits for it
	}
	for ; ; wait = checkEvery {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		select {
		case oneCheck <- struct{}{}:
		case <-ctx.Done():
			return
		}
		err := d.check(ctx)
		<-oneCheck
		if err != nil && ctx.Err() == nil {
			d.log.Warn("a database file could not be checked", "file", d.path, "error", err)
		}
	}
}

// check reads the whole file on a connection of its own, which the context may
// interrupt, and marks it where it is not sound.
func (d *database) check(ctx context.Context) error {
	pragma := "PRAGMA quick_check(1)"
	if d.opts.fullCheck {
		pragma = "PRAGMA integrity_check(1)"
	}
	verdict, err := checkFile(ctx, d.path, pragma, d.opts.verify)
	if ctx.Err() != nil {
		return ctx.Err() // whatever an interrupted check found, it may be the interruption
	}
	switch {
	case err != nil && (faultOf(err) == faultDamaged || errors.Is(err, errChecksum)):
		_ = d.damaged(err)
		return nil
	case err != nil:
		return err
	case verdict != "ok":
		_ = d.damaged(errors.New(verdict))
		return nil
	}
	d.forgiveDamage()
	return nil
}

// checkFile checks a file in one snapshot: with SQLite, and then with what
// else is given.
func checkFile(ctx context.Context, path, pragma string, more ...func(context.Context, *sql.Tx) error) (verdict string, err error) {
	db, err := sql.Open("sqlite", dsn(path, true, defaultCacheKiB))
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return "", fmt.Errorf("check: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := tx.QueryRowContext(ctx, pragma).Scan(&verdict); err != nil {
		return "", fmt.Errorf("check: %w", err)
	}
	for _, f := range more {
		if f == nil || verdict != "ok" {
			break
		}
		if err := f(ctx, tx); err != nil {
			return "", fmt.Errorf("check: %w", err)
		}
	}
	return verdict, nil
}
