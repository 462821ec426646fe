package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	defaultReaders  = 4
	defaultCacheKiB = 4096
	// readerCacheKiB is the most that a connection that reads keeps. Only who
	// writes needs room for all that a group changes; what a reader has none for
	// is in the system's cache of files, a microsecond away.
	readerCacheKiB = 512
	// journalSizeLimit is what the write-ahead log is cut back to, in bytes.
	journalSizeLimit = 16 << 20
	// checkpointPages is after how many pages in the write-ahead log (4 KiB
	// each) the writer copies them into the file.
	checkpointPages = 1000
	// busyTimeout is how long a statement waits for some other program that has
	// the file open.
	busyTimeout = 5 * time.Second
	retryFull   = 5 * time.Second
)

// databaseOptions are what the files of one kind share.
type databaseOptions struct {
	schema     schema
	backups    string // folder for backups before a migration
	appVersion string
	logger     *slog.Logger
	clock      func() time.Time
	// fullCheck asks for integrity_check in the background instead of the
	// quicker quick_check.
	fullCheck bool
	// verify is what a check looks at beside what SQLite does; it may be nil.
	verify func(context.Context, *sql.Tx) error
	// readers is how many connections read the file at a time; zero is 4.
	readers int
	// cacheKiB is how much of the file the connection that writes keeps in
	// memory, and at most readerCacheKiB of it each that reads; zero is 4 MiB.
	cacheKiB int
	// statements is how many prepared statements each connection keeps; zero is
	// 128.
	statements int
}

// database is one SQLite file: one writer that commits what waits as a group,
// a few readers, and a watch over its soundness.
type database struct {
	path   string
	name   string // for people: the path inside the data folder
	opts   databaseOptions
	log    *slog.Logger
	writes *sql.DB
	writer *writer
	reads  *readers
	state  fileState

	stop       context.CancelFunc
	closing    func() error // shut, once
	background sync.WaitGroup
}

// openDatabase opens the file, makes it where there is none, and brings its
// schema up to date.
func openDatabase(ctx context.Context, path string, opts databaseOptions) (_ *database, err error) {
	if opts.logger == nil {
		opts.logger = slog.New(slog.DiscardHandler)
	}
	if opts.clock == nil {
		opts.clock = time.Now
	}
	if opts.readers == 0 {
		opts.readers = defaultReaders
	}
	if opts.cacheKiB == 0 {
		opts.cacheKiB = defaultCacheKiB
	}
	if opts.statements == 0 {
		opts.statements = defaultStatements
	}
	d := &database{path: path, name: shownPath(path), opts: opts, log: opts.logger}
	if err := makePrivate(path); err != nil {
		return nil, err
	}
	if d.writes, err = sql.Open("sqlite", dsn(path, false, opts.cacheKiB)); err != nil {
		return nil, fmt.Errorf("open %s: %w", d.name, err)
	}
	d.writes.SetMaxOpenConns(1)
	var c *conn
	defer func() {
		if err == nil {
			return
		}
		if faultOf(err) == faultDamaged {
			noteDamage(path, err)
		}
		if faultOf(err) != faultNone {
			err = translate(err, d.name)
		}
		err = fmt.Errorf("open %s: %w", d.name, err)
		if c != nil {
			_ = c.close()
		}
		_ = d.writes.Close()
	}()
	if c, err = openConn(ctx, d.writes, opts.statements); err != nil {
		return nil, err
	}
	if err := migrate(ctx, c, d); err != nil {
		return nil, err
	}
	if d.reads, err = openReaders(path, opts); err != nil {
		return nil, err
	}
	d.writer = newWriter(d, c)
	d.recallDamage()
	running, stop := context.WithCancel(context.Background())
	d.stop, d.closing = stop, sync.OnceValue(d.shut)
	d.background.Go(d.writer.serve)
	d.background.Go(func() { d.watch(running) })
	return d, nil
}

// makePrivate creates the file readable by its owner alone: SQLite itself
// would go by the umask.
func makePrivate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return notWritable(filepath.Dir(path), err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // a path inside the data folder
	if errors.Is(err, fs.ErrExist) {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return fmt.Errorf("%s is a folder, where a database file should be; move it away", path)
		}
		return nil
	}
	if err != nil {
		return notWritable(filepath.Dir(path), err)
	}
	return f.Close()
}

// close writes what waits, folds the write-ahead log into the file and closes
// it. Doing it twice is doing it once.
func (d *database) close() error { return d.closing() }

func (d *database) shut() error {
	d.stop()
	// The writer goes last: who closes a file last folds its log into it, and
	// only the writer may.
	d.reads.close()
	d.writer.close()
	d.background.Wait()
	return d.writes.Close()
}

// read gives f a connection to read with. Each statement sees one state of the
// file; for several that must see the same one, use snapshot.
func (d *database) read(ctx context.Context, f func(*conn) error) error {
	c, err := d.reads.take(ctx)
	if err != nil {
		return d.noticed(err)
	}
	returned := false
	defer func() {
		if !returned { // f panicked; who knows what it left open
			d.reads.discard(c)
		}
	}()
	err = f(c)
	returned = true
	d.reads.give(c, err)
	return d.noticed(err)
}

// snapshot is read with all statements seeing the same state.
func (d *database) snapshot(ctx context.Context, f func(*conn) error) error {
	return d.read(ctx, func(c *conn) error {
		if _, err := c.exec("BEGIN"); err != nil {
			return err
		}
		err := f(c)
		if _, end := c.exec("ROLLBACK"); end != nil {
			// A transaction left open would keep the log from ever being cut back.
			return fmt.Errorf("%w: end of a snapshot: %w", errBadConn, errors.Join(end, err))
		}
		return err
	})
}

// write runs f in a transaction with whatever else waits to be written. It
// returns when that is durable. When f fails, what it did is undone and its
// error returned; the others in the group are untouched. f is not run when
// the context ended before its turn; once run, its result is what is returned.
// f may run more than once: a group that failed as a whole is tried one by
// one. A panic in f is such a failure, and an error here.
func (d *database) write(ctx context.Context, f func(*conn) error) error {
	if err := d.state.refusal(); err != nil {
		return err
	}
	return d.noticed(d.writer.submit(ctx, f))
}

// noticed translates a driver's error and marks the file where it says that
// it is damaged.
func (d *database) noticed(err error) error {
	if faultOf(err) == faultDamaged {
		return d.damaged(err)
	}
	return translate(err, d.name)
}

// shownPath is the end of a path that tells the file from the others.
func shownPath(path string) string {
	dir, file := filepath.Split(filepath.ToSlash(path))
	parts := strings.Split(strings.Trim(dir, "/"), "/")
	for i, p := range parts {
		if p == "clusters" {
			return strings.Join(append(parts[i:], file), "/")
		}
	}
	return file
}

// uriPath escapes a path for a file: URI, a leading drive letter included.
func uriPath(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return (&url.URL{Path: path}).EscapedPath()
}
