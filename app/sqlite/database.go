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
	// maxReaders is how many connections read one file at a time.
	maxReaders = 4
	// journalSizeLimit is what the write-ahead log is cut back to, in bytes.
	journalSizeLimit = 16 << 20
	retryFull        = 5 * time.Second
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
	d := &database{path: path, name: shownPath(path), opts: opts, log: opts.logger}
	if err := makePrivate(path); err != nil {
		return nil, err
	}
	if d.writes, err = sql.Open("sqlite", dsn(path, false)); err != nil {
		return nil, fmt.Errorf("open %s: %w", d.name, err)
	}
	d.writes.SetMaxOpenConns(1)
	c, err := openConn(ctx, d.writes)
	if err != nil {
		_ = d.writes.Close()
		return nil, fmt.Errorf("open %s: %w", d.name, translate(err, d.name))
	}
	if err := migrate(ctx, c, d); err != nil {
		_ = c.close()
		_ = d.writes.Close()
		if faultOf(err) == faultNone {
			return nil, fmt.Errorf("open %s: %w", d.name, err)
		}
		return nil, fmt.Errorf("open %s: %w", d.name, translate(err, d.name))
	}
	if d.reads, err = openReaders(path); err != nil {
		_ = c.close()
		_ = d.writes.Close()
		return nil, fmt.Errorf("open %s: %w", d.name, err)
	}
	d.writer = newWriter(d, c)
	running, stop := context.WithCancel(context.Background())
	d.stop = stop
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
		return nil
	}
	if err != nil {
		return notWritable(filepath.Dir(path), err)
	}
	return f.Close()
}

// Close writes what waits, folds the write-ahead log into the file and closes
// it.
func (d *database) close() error {
	d.stop()
	d.writer.close()
	d.background.Wait()
	d.reads.close()
	return d.writes.Close()
}

// read gives f a connection to read with. Each statement sees one state of the
// file; for several that must see the same one, use snapshot.
func (d *database) read(ctx context.Context, f func(*conn) error) error {
	c, err := d.reads.take(ctx)
	if err != nil {
		return d.noticed(err)
	}
	err = f(c)
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
		if _, end := c.exec("ROLLBACK"); err == nil {
			err = end
		}
		return err
	})
}

// write runs f in a transaction with whatever else waits to be written. It
// returns when that is durable. When f fails, what it did is undone and its
// error returned; the others in the group are untouched. f is not run when
// the context ended before its turn; once run, its result is what is returned.
// f may run more than once: a group that failed as a whole is tried one by one.
func (d *database) write(ctx context.Context, f func(*conn) error) error {
	if err := d.state.refusal(); err != nil {
		return err
	}
	return d.noticed(d.writer.submit(ctx, f))
}

// noticed translates a driver's error and remembers what it says of the file.
func (d *database) noticed(err error) error {
	if err == nil {
		return nil
	}
	switch faultOf(err) {
	case faultDamaged:
		d.damaged(err)
	case faultFull:
		d.state.setFull(errFull(d.name, err))
	case faultNone, faultBusy, faultIO:
	}
	return translate(err, d.name)
}

// damaged marks the file: nothing is written to it any more.
func (d *database) damaged(cause error) error {
	err := errDamaged(d.name, cause)
	if d.state.setDamaged(err) {
		d.log.Error("a database file is damaged; writing to it has stopped", "file", d.path, "error", cause)
	}
	return err
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
