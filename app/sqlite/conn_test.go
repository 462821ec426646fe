package sqlite

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// A connection keeps a bounded number of statements, and forgetting some never
// takes away the one whose rows are being read.
func TestKeptStatementsAreBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opts := testOptions(dir)
	opts.statements = 8
	d := openTestDatabase(t, dir+"/test.db", opts)
	ctx := context.Background()
	for i := range 20 {
		if err := insertThing(ctx, d, fmt.Sprintf("%02d", i), ""); err != nil {
			t.Fatal(err)
		}
	}
	check := func(c *conn) error {
		rows := 0
		err := c.query(func(row scanner) error {
			var id, same string
			if err := row.Scan(&id); err != nil {
				return err
			}
			rows++
			// Another text each time, and so another statement.
			return c.queryRow(fmt.Sprintf("SELECT id FROM things WHERE id = ? AND %d", rows), id).Scan(&same)
		}, "SELECT id FROM things ORDER BY id")
		if err == nil && rows != 20 {
			err = fmt.Errorf("%d rows of 20", rows)
		}
		if len(c.stmts) > 8 {
			err = fmt.Errorf("%d statements are kept", len(c.stmts))
		}
		return err
	}
	if err := errors.Join(d.read(ctx, check), d.write(ctx, check)); err != nil {
		t.Fatal(err)
	}
}
