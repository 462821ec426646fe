package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
)

// defaultStatements is how many prepared statements one connection keeps. One
// is about 4 KiB.
const defaultStatements = 128

// conn is one connection with its prepared statements. It is used by one
// goroutine at a time.
//
// No cancellation reaches the driver: an interrupted statement could tear a
// group of writes, and has left connections behind that answer nothing else
// (superseriousbusiness/gotosocial#2728). Statements here are short.
type conn struct {
	raw   *sql.Conn
	stmts map[string]*keptStatement
	limit int
	clock uint64 // counts uses
}

type keptStatement struct {
	*sql.Stmt
	used uint64
	// reading is how many queries are reading its rows.
	reading int
}

// dsn is the file's URI. The pragmas are ours alone: they are raw SQL. Beyond
// durability they keep a file that somebody has tampered with from running
// anything (trusted_schema, defensive), overwrite what is deleted where that
// is free (secure_delete), and refuse a string in double quotes, which is
// always a misspelled column (dqs).
func dsn(path string, readOnly bool, cacheKiB int) string {
	q := url.Values{
		"_pragma": {
			fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
			"synchronous(FULL)", "foreign_keys(ON)", "trusted_schema(OFF)", "cell_size_check(ON)",
			"temp_store(MEMORY)", "secure_delete(FAST)", fmt.Sprintf("cache_size(-%d)", cacheKiB),
			fmt.Sprintf("journal_size_limit(%d)", journalSizeLimit),
			fmt.Sprintf("wal_autocheckpoint(%d)", checkpointPages),
		},
		"_defensive": {"1"},
		"_dqs":       {"0"},
	}
	if readOnly {
		q.Set("mode", "ro")
		q.Add("_pragma", "query_only(1)")
	}
	// An absolute path on Windows begins with a drive letter, which in a URI
	// must follow a slash.
	return (&url.URL{Scheme: "file", Opaque: uriPath(path), RawQuery: q.Encode()}).String()
}

// peekDSN is the URI of a file that nobody writes to while it is read, and that
// has nothing in its log. SQLite takes no lock then and makes no other file.
func peekDSN(path string) string {
	q := url.Values{"mode": {"ro"}, "immutable": {"1"}, "_pragma": {"query_only(1)", "trusted_schema(OFF)", "cell_size_check(ON)"}, "_defensive": {"1"}, "_dqs": {"0"}}
	return (&url.URL{Scheme: "file", Opaque: uriPath(path), RawQuery: q.Encode()}).String()
}

func openConn(ctx context.Context, db *sql.DB, statements int) (*conn, error) {
	raw, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, stmts: make(map[string]*keptStatement), limit: statements}, nil
}

func (c *conn) prepare(query string) (*keptStatement, error) {
	c.clock++
	if s := c.stmts[query]; s != nil {
		s.used = c.clock
		return s, nil
	}
	prepared, err := c.raw.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	if len(c.stmts) >= c.limit {
		c.forgetOldest()
	}
	s := &keptStatement{Stmt: prepared, used: c.clock}
	c.stmts[query] = s
	return s, nil
}

// forgetOldest closes the statement unused for longest. Never one whose rows
// are being read: the driver would read freed memory, and the process die.
func (c *conn) forgetOldest() {
	oldest := ""
	for query, s := range c.stmts {
		if s.reading == 0 && (oldest == "" || s.used < c.stmts[oldest].used) {
			oldest = query
		}
	}
	if s := c.stmts[oldest]; s != nil {
		_ = s.Close()
		delete(c.stmts, oldest)
	}
}

// execute runs a statement.
func (c *conn) execute(query string, args ...any) (sql.Result, error) {
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(context.Background(), args...)
}

// exec runs a statement and gives the number of rows that it changed.
func (c *conn) exec(query string, args ...any) (int64, error) {
	r, err := c.execute(query, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// queryRow reads at most one row; without one, Scan gives sql.ErrNoRows.
func (c *conn) queryRow(query string, args ...any) scanner {
	s, err := c.prepare(query)
	if err != nil {
		return failedRow{err}
	}
	return s.QueryRowContext(context.Background(), args...)
}

// query reads rows; each is given to row, which scans it.
func (c *conn) query(row func(scanner) error, query string, args ...any) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(context.Background(), args...)
	if err != nil {
		return err
	}
	s.reading++
	defer func() {
		_ = rows.Close()
		s.reading--
	}()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// run executes statements once, without keeping them: pragmas, schema, and
// the bounds of transactions.
func (c *conn) run(statements string) error {
	_, err := c.raw.ExecContext(context.Background(), statements)
	return err
}

func (c *conn) close() error {
	c.closeStatements()
	return c.raw.Close()
}

// discard closes a connection that must not be used again. Its statements go
// first: the driver reads freed memory when one is closed after its
// connection.
func (c *conn) discard() {
	c.closeStatements()
	_ = c.raw.Raw(func(any) error { return errBadConn })
	_ = c.raw.Close()
}

func (c *conn) closeStatements() {
	for _, s := range c.stmts {
		_ = s.Close()
	}
	clear(c.stmts)
}

// scanner is a row.
type scanner interface{ Scan(into ...any) error }

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }
