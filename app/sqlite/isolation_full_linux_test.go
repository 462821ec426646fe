package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tenantry/app"
)

// An organization's own file that cannot be made is said to be so; whoever has
// one is served from it, though it has to be opened again; and what was begun
// can be taken away, or be done again.
func TestNoRoomForAFileOfOneOrganization(t *testing.T) {
	ctx := context.Background()
	dir := smallDisk(t, 4<<10)
	c := openTestCluster(t, dir, ClusterOptions{OpenFiles: 1})
	acme, bolt := provisionedIn(t, c, app.IsolationDatabase, "acme"), provisionedIn(t, c, app.IsolationDatabase, "bolt")
	for _, ns := range []app.Namespace{acme, bolt} {
		if err := c.InsertDocument(ctx, ns, testDocument("first")); err != nil {
			t.Fatal(err)
		}
	}
	undone, again := locatedIn(t, c, app.IsolationDatabase, "undone"), locatedIn(t, c, app.IsolationDatabase, "again")
	free := fill(t, dir)
	isFull(t, c.Provision(ctx, undone))
	isFull(t, c.Provision(ctx, again))
	isFull(t, c.Health(ctx))
	if _, err := c.Document(ctx, bolt, "first"); err != nil {
		t.Errorf("reading what is open: %v", err)
	}
	free()
	waitUntil(t, func() bool { return c.Health(ctx) == nil })
	if err := c.Drop(ctx, undone); err != nil || len(filesOf(t, dir, undone)) > 0 {
		t.Errorf("%v is left, %v", filesOf(t, dir, undone), err)
	}
	if err := c.Provision(ctx, again); err != nil {
		t.Fatal(err)
	}
	for _, ns := range []app.Namespace{acme, bolt, again} {
		works(t, c, ns, "a")
	}
}

// A target that fills up takes a batch whole or not at all, and goes on when
// there is room.
func TestNoRoomAtTheTargetOfAMove(t *testing.T) {
	ctx := context.Background()
	for _, isolation := range isolations {
		t.Run(string(isolation), func(t *testing.T) {
			dir := smallDisk(t, 8<<10)
			c := openTestCluster(t, dir, ClusterOptions{Shards: 1})
			target := locatedIn(t, c, isolation, "acme")
			if err := c.Receive(ctx, target); err != nil {
				t.Fatal(err)
			}
			const batch = 10
			imported := 0
			next := func() error {
				list := make([]app.Document, batch)
				for i := range list {
					list[i] = testDocument(app.DocumentID(fmt.Sprintf("d-%05d", imported*batch+i)))
					list[i].Data = []byte(`{"text":"` + strings.Repeat("x", 4000) + `"}`)
				}
				err := c.Import(ctx, target, list, nil)
				if err == nil {
					imported++
				}
				return err
			}
			if err := next(); err != nil {
				t.Fatal(err)
			}
			free := fill(t, dir)
			var err error
			for i := 0; err == nil; i++ {
				if i > 1000 {
					t.Fatal("the disk is never full")
				}
				err = next()
			}
			isFull(t, err)
			isFull(t, next())
			whole := func() {
				t.Helper()
				list, err := c.Scan(ctx, target, app.DocumentQuery{Limit: 100_000})
				if err != nil || len(list) != imported*batch {
					t.Errorf("%d documents, %d were imported, %v", len(list), imported*batch, err)
				}
			}
			whole()
			free()
			waitUntil(t, func() bool { return c.Health(ctx) == nil })
			if err := next(); err != nil {
				t.Fatal(err)
			}
			whole()
			if err := c.SetPhase(ctx, target, app.PhaseOpen); err != nil {
				t.Fatal(err)
			}
			if err := c.Drop(ctx, target); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Scan(ctx, target, app.DocumentQuery{Limit: 1}); !errors.Is(err, app.ErrNotFound) {
				t.Error(err)
			}
		})
	}
}
