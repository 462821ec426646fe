package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tenantry/app"
)

// fault is what a driver's error means for the file it came from.
type fault int

const (
	faultNone    fault = iota // the statement's own matter
	faultBusy                 // another connection is in the way
	faultFull                 // no room on the disk
	faultIO                   // the disk or the connection is in trouble
	faultDamaged              // the file is not sound
)

// faultOf reads the result code (sqlite.org/rescode.html), never the text.
func faultOf(err error) fault {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		switch {
		case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
			return faultFull
		case errors.Is(err, sql.ErrConnDone), errors.Is(err, errBadConn), errors.Is(err, syscall.EIO):
			return faultIO
		}
		return faultNone
	}
	if e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE {
		// The index of the log cannot grow. It is never large, so it is the disk.
		return faultFull
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return faultFull
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return faultDamaged
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM,
		sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT:
		return faultIO
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return faultBusy
	}
	return faultNone
}

// translate turns a driver's error into one of package app's. file is what a
// person knows the file by.
func translate(err error, file string) error {
	if err == nil {
		return nil
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return app.ErrNotFound
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	}
	switch faultOf(err) {
	case faultFull:
		return errFull(file, err)
	case faultDamaged:
		return errDamaged(file, err)
	case faultIO, faultBusy:
		return errUnavailable(file, err)
	case faultNone:
	}
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() {
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
			return fmt.Errorf("%w: %w", app.ErrConflict, err)
		case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
			return fmt.Errorf("%w: %w", app.ErrNotFound, err)
		case sqlite3.SQLITE_TOOBIG:
			return app.Fail(app.ErrTooLarge, "document_too_large", "This is more than the database takes in one piece.")
		}
	}
	return err
}

// isTaken reports a violated unique index or primary key.
func isTaken(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return true
	}
	return false
}

// isUnknown reports a statement that names what is not in the file, unless a
// check has found that already.
func isUnknown(err error) bool {
	var told *app.Error
	var e *sqlite.Error
	return !errors.As(err, &told) && errors.As(err, &e) && e.Code() == sqlite3.SQLITE_ERROR
}

// errClosed answers who comes while the server stops.
func errClosed() error { return app.Unavailable("The database, which is being closed,", nil) }

// errBadConn marks a connection that must not be used again; database/sql
// throws it away.
var errBadConn = driver.ErrBadConn

func errFull(file string, cause error) error {
	return &app.Error{
		Kind: app.ErrNoSpace, Code: "storage_full", RetryAfter: retryFull, Cause: cause,
		Detail: "There is no room left on the disk of " + file + ". Nothing was stored. Make room, and writing goes on by itself.",
	}
}

func errUnavailable(file string, cause error) error {
	return app.Unavailable("The file "+file, cause)
}

func errDamaged(file string, cause error) error {
	return &app.Error{
		Kind: app.ErrUnavailable, Code: "storage_damaged", Cause: cause,
		Detail: "The file " + file + " is damaged, so nothing is written to it any more. What can still be read is served. " +
			"Stop the server and restore a backup.",
	}
}

// notWritable words a refusal of the operating system to write a folder.
func notWritable(dir string, err error) error {
	var why string
	switch {
	case errors.Is(err, syscall.EROFS):
		why = "it is on a read-only file system"
	case errors.Is(err, fs.ErrPermission):
		why = "this user may not write there"
	case errors.Is(err, syscall.ENOSPC):
		why = "there is no room left on its disk"
	default:
		why = err.Error()
	}
	return fmt.Errorf("the data folder %s is not writable: %s; mend that, or choose another with --data-dir", dir, why)
}
