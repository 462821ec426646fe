package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"tenantry/app"
)

// Some other program that keeps the file locked holds up the writes, which
// readiness tells; reads go on, and so do writes once it has left.
func TestAVisitorWhoKeepsTheFileLocked(t *testing.T) {
	if testing.Short() {
		t.Skip("waits as long as a write does")
	}
	t.Parallel()
	ctx := context.Background()
	d := newTestDatabase(t)
	if err := insertThing(ctx, d, "before", ""); err != nil {
		t.Fatal(err)
	}
	visitor, err := sql.Open("sqlite", d.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = visitor.Close() }()
	visitor.SetMaxOpenConns(1)
	if _, err := visitor.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := insertThing(ctx, d, "meanwhile", ""); !errors.Is(err, app.ErrUnavailable) {
		t.Errorf("a write was answered %v", err)
	}
	if err := d.state.trouble.Load(); err == nil || !errors.Is(*err, app.ErrUnavailable) {
		t.Errorf("nothing is known of the trouble: %v", err)
	}
	if all := things(t, d); len(all) != 1 {
		t.Errorf("there are %v", all)
	}
	if _, err := visitor.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := insertThing(ctx, d, "after", ""); err != nil {
		t.Errorf("once it has left: %v", err)
	}
	if err := d.health(ctx); err != nil {
		t.Errorf("health: %v", err)
	}
}
