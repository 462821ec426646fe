package sqlite

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"tenantry/app"
)

// The index by type is made by one of a group, whose others remember the table
// as it was before.
func TestGroupOfInsertsMakesTheIndexOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := openTestCluster(t, t.TempDir(), ClusterOptions{Shards: 1})
	ns := provisioned(t, c, "acme")
	for i := range indexAfter - 2 {
		if err := c.InsertDocument(ctx, ns, testDocument(app.DocumentID(fmt.Sprintf("before-%03d", i)))); err != nil {
			t.Fatal(err)
		}
	}
	s := c.hold(ns.Placement.Database)
	release := stall(t, s.db)
	const together = 8
	answers := make(chan error, together)
	for i := range together {
		go func() {
			answers <- c.InsertDocument(ctx, ns, testDocument(app.DocumentID(fmt.Sprintf("together-%d", i))))
		}()
	}
	waitUntil(t, func() bool { return s.db.writer.queued() == together })
	release()
	for range together {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	var indexes int
	if err := s.db.read(ctx, func(c *conn) error {
		return c.queryRow(`SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name LIKE 'type!_%' ESCAPE '!'`).Scan(&indexes)
	}); err != nil || indexes != 1 {
		t.Errorf("%d indexes by type, %v", indexes, err)
	}
}

// What is remembered of a table is a guess: an insert by a name that has
// become another organization's goes where its own documents are.
func TestInsertByANameThatIsAnothersNow(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := openTestCluster(t, t.TempDir(), ClusterOptions{Shards: 1})
	first, second := provisioned(t, c, "acme"), located(t, c, "acme")
	if err := c.Rename(ctx, first, "org_acme_old", 2); err != nil {
		t.Fatal(err)
	}
	if err := c.Provision(ctx, second); err != nil {
		t.Fatal(err)
	}
	s := c.hold(first.Placement.Database)
	s.names.put(first.Organization, knownTable{table{app.IsolationCollection, "org_acme"}, true})
	if err := c.InsertDocument(ctx, first, testDocument("mine")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Document(ctx, first, "mine"); err != nil {
		t.Errorf("its owner reads: %v", err)
	}
	if _, err := c.Document(ctx, second, "mine"); !errors.Is(err, app.ErrNotFound) {
		t.Errorf("the other organization reads: %v", err)
	}
	var taken *app.TakenError
	if err := c.InsertDocument(ctx, first, testDocument("mine")); !errors.As(err, &taken) || taken.Field != app.ConflictDocumentID {
		t.Errorf("again: %v", err)
	}
	s.names.put(first.Organization, knownTable{table: table{app.IsolationCollection, "org_never_was"}})
	if err := c.InsertDocument(ctx, first, testDocument("also mine")); err != nil {
		t.Errorf("by a name that there is not: %v", err)
	}
}
