package sqlite

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"modernc.org/sqlite"

	"tenantry/app"
)

// shard is one file of a cluster, open or not.
type shard struct {
	name  string
	path  string
	clock app.Clock
	names names

	// ofOne: the file is one organization's alone, and closed when nobody uses it.
	ofOne bool
	// These are the cluster's, under its lock: how many hold the file, and if
	// nobody does, since when and where in the list of those.
	users int
	used  time.Time
	idle  *list.Element

	// mu is held for reading by whoever uses db, and for writing to open and
	// close it. Who takes it holds the file, unless to look whether it is open.
	mu   sync.RWMutex
	db   *database   // nil: closed
	file fs.FileInfo // of what is open
	// failed is why the file could last not be opened, or nil, and tried when
	// that was.
	failed error
	tried  time.Time

	// tables is about how many tables the file has, and early how many of the
	// coming reads go through the writer; see read.
	tables     atomic.Int64
	early      atomic.Int64
	earlyReads func(tables int64) int64
}

// earlyReads: a connection learns of about 8 tables in the time that a read
// through the writer takes longer than one beside it.
func earlyReads(tables int64) int64 { return tables / 8 }

// open opens the file. The caller holds mu.
func (s *shard) open(ctx context.Context, opts databaseOptions) error {
	db, err := openDatabase(ctx, s.path, opts)
	var newer *NewerError
	if errors.As(err, &newer) {
		return &app.Error{Kind: app.ErrUnavailable, Code: "unavailable", Cause: &app.VersionError{Err: newer},
			Detail: fmt.Sprintf("The file %s cannot be used: %s.", shownPath(s.path), newer)}
	}
	var known *app.Error
	if err != nil && !errors.As(err, &known) {
		return app.Unavailable("The file "+shownPath(s.path), err)
	}
	if err != nil {
		return err
	}
	if s.file, err = os.Stat(s.path); err != nil {
		return errors.Join(app.Unavailable("The file "+shownPath(s.path), err), db.close())
	}
	s.db = db
	if err := s.opened(ctx); err != nil {
		s.db = nil
		return errors.Join(err, db.close())
	}
	return nil
}

// opened counts the tables of a file that was just opened.
func (s *shard) opened(ctx context.Context) error {
	var n int64
	err := s.db.write(ctx, func(c *conn) error {
		return c.queryRow(`SELECT count(*) FROM namespaces WHERE isolation <> 'shared'`).Scan(&n)
	})
	if errors.Is(err, app.ErrUnavailable) || errors.Is(err, app.ErrNoSpace) {
		return nil // it can be read all the same
	}
	s.tables.Store(n)
	s.schemaChanged(0)
	return err
}

// schemaChanged notes that a table has come, gone or got another name.
func (s *shard) schemaChanged(tables int64) {
	s.early.Store(s.earlyReads(s.tables.Add(tables)))
}

func (s *shard) write(ctx context.Context, f func(*conn) error) error {
	return s.db.write(ctx, f)
}

// read gives f a connection, in a snapshot if wanted.
//
// After any change of a file's schema each connection that reads has to parse
// the whole of it again, 10 ms with 1,500 tables; the one that writes knows it
// already. So the first reads after a change go through the writer, which
// takes them along with a group, until they have cost as much as parsing. A
// shard where organizations come and go all the time is read by its writer,
// any other by connections of its own.
func (s *shard) read(ctx context.Context, snapshot bool, f func(*conn) error) error {
	if s.early.Load() > 0 && s.early.Add(-1) >= 0 {
		err := s.db.write(ctx, f)
		if !errors.Is(err, app.ErrUnavailable) && !errors.Is(err, app.ErrNoSpace) {
			return err
		}
		// What cannot be written any more can still be read.
	}
	if snapshot {
		return s.db.snapshot(ctx, f)
	}
	return s.db.read(ctx, f)
}

// find reads from the organization's table. f is told which that is and says
// whether it found anything. It may be called again, and then nothing of the
// call before counts.
//
// Its first try is by the name that is remembered, which is why all it reads
// must be under the condition of table.owned. Only when that finds nothing is
// the name looked up, in one snapshot with the second try.
func (s *shard) find(ctx context.Context, ns app.Namespace, f func(*conn, table) (found bool, err error)) error {
	if guess, ok := s.names.guess(ns); ok {
		var found bool
		err := s.read(ctx, false, func(c *conn) (err error) {
			found, err = f(c, guess.table)
			return err
		})
		if err == nil && found || err != nil && !isStatementError(err) {
			return err
		}
	}
	return s.read(ctx, true, func(c *conn) error {
		now, err := resolve(c, ns)
		if err == nil {
			err = now.readable()
		}
		if err != nil {
			return err
		}
		s.names.put(ns.Organization, now.known())
		_, err = f(c, now.table)
		return err
	})
}

// isStatementError reports what "no such table" is an instance of.
func isStatementError(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_ERROR
}

// sound marks the file as damaged where err says that a document is not what
// was written, and words the answer.
func (s *shard) sound(err error) error {
	if errors.Is(err, errChecksum) {
		return s.db.damaged(err)
	}
	return err
}
