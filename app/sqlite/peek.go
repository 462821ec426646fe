package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"tenantry/app"
)

// eachFile gives f a snapshot of each file that there is. It may be called again
// after it has failed. The error begins with the name of the file.
func (c *Cluster) eachFile(ctx context.Context, f func(name string, c *conn) error) error {
	names, _, err := c.files()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := c.lookInto(ctx, name, f)
		if errors.Is(err, app.ErrNotFound) {
			continue // removed meanwhile
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (c *Cluster) lookInto(ctx context.Context, name string, f func(name string, c *conn) error) error {
	if parseOrganizationFile(name) == nil {
		if seen, err := c.peek(ctx, name, func(c *conn) error { return f(name, c) }); seen || err != nil {
			return err
		}
	}
	return c.useFile(ctx, name, existing, func(s *shard) error {
		return s.db.snapshot(ctx, func(c *conn) error { return f(name, c) })
	})
}

// peek gives f a file of one organization as it is, if nobody has it open and it
// can be read without more ado: of 100,000 each would take a millisecond to
// open with all that belongs to that, and push those out that are in use. It
// reports whether it could; f's own error is returned.
func (c *Cluster) peek(ctx context.Context, name string, f func(*conn) error) (seen bool, err error) {
	s := c.hold(name)
	defer c.release(s)
	s.mu.Lock() // so that nobody opens it meanwhile
	defer s.mu.Unlock()
	if s.db != nil || s.failed != nil {
		return false, nil
	}
	if info, err := os.Stat(s.path + "-wal"); err == nil && info.Size() > 0 {
		return false, nil // a server has ended without closing it
	}
	db, err := sql.Open("sqlite", peekDSN(s.path))
	if err != nil {
		return false, nil //nolint:nilerr // opening it for use will say what is wrong
	}
	defer func() { _ = db.Close() }()
	conn, err := openConn(context.WithoutCancel(ctx), db, shardStatements)
	if err != nil {
		return false, nil //nolint:nilerr // as above
	}
	defer func() { _ = conn.close() }()
	if version, err := pragma(ctx, conn, "user_version"); err != nil || version != len(c.databases.schema.migrations) {
		return false, nil //nolint:nilerr // as above
	}
	if err := f(conn); faultOf(err) == faultNone && !isStatementError(err) {
		return true, err
	}
	return false, nil
}
