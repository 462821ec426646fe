package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tenantry/app"
)

// smallDisk is a file system of so many KiB.
func smallDisk(t *testing.T, kib int) string {
	t.Helper()
	return mountPoint(t, "-t", "tmpfs", "-o", fmt.Sprintf("size=%dk", kib), "tmpfs")
}

// fill leaves no room on the disk, until free.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	for {
		if _, err := f.Write(block); err != nil {
			break
		}
	}
	_ = f.Close() // there is no room, as wanted
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func isFull(t *testing.T, err error) {
	t.Helper()
	var e *app.Error
	if !errors.Is(err, app.ErrNoSpace) || !errors.As(err, &e) || e.RetryAfter <= 0 {
		t.Fatalf("answered %v, want that there is no room", err)
	}
}

func TestAFullDisk(t *testing.T) {
	ctx := context.Background()
	dir := smallDisk(t, 8<<10)
	path := filepath.Join(dir, "test.db")
	d := openTestDatabase(t, path, testOptions(dir))
	if err := insertThing(ctx, d, "first", ""); err != nil {
		t.Fatal(err)
	}
	free := fill(t, dir)
	body := strings.Repeat("x", 8<<10)
	var mu sync.Mutex
	acknowledged := map[string]bool{"first": true}
	put := func(id string) error {
		err := insertThing(ctx, d, id, body)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			acknowledged[id] = true
		}
		return err
	}
	refusals := make([]error, 200)
	together(8, func(n int) {
		for i := n; i < len(refusals); i += 8 {
			refusals[i] = put(fmt.Sprintf("full-%d", i))
		}
	})
	refused := 0
	for _, err := range refusals {
		if err != nil {
			isFull(t, err)
			refused++
		}
	}
	if refused == 0 {
		t.Fatal("the disk was not full")
	}
	isFull(t, d.health(ctx))
	same := func(when string) {
		t.Helper()
		all := things(t, d)
		for id := range acknowledged {
			if !all[id] {
				t.Errorf("%s: %s was acknowledged and is gone", when, id)
			}
		}
		if len(all) != len(acknowledged) {
			t.Errorf("%s: there are %d, acknowledged were %d", when, len(all), len(acknowledged))
		}
	}
	same("while the disk is full")
	free()
	if err := put("after"); err != nil { // at once, by itself
		t.Fatalf("there is room again: %v", err)
	}
	if err := d.health(ctx); err != nil {
		t.Errorf("health: %v", err)
	}
	same("after")
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	isSound(t, path)
	d = openTestDatabase(t, path, testOptions(dir))
	same("after a restart")
}

// Readiness finds out by itself, though nobody writes.
func TestRoomIsNoticedWithoutAWrite(t *testing.T) {
	ctx := context.Background()
	dir := smallDisk(t, 4<<10)
	d := openTestDatabase(t, filepath.Join(dir, "test.db"), testOptions(dir))
	free := fill(t, dir)
	for i := 0; ; i++ {
		if err := insertThing(ctx, d, fmt.Sprint(i), strings.Repeat("x", 8<<10)); err != nil {
			isFull(t, err)
			break
		}
	}
	isFull(t, d.health(ctx))
	free()
	waitUntil(t, func() bool { return d.health(ctx) == nil })
}

// The server starts on a full disk as far as it can, or says why it cannot;
// and when there is room it starts with all that was acknowledged.
func TestAFullDiskAtTheStart(t *testing.T) {
	ctx := context.Background()
	dir := smallDisk(t, 4<<10)
	path := filepath.Join(dir, "test.db")
	withDatabase(t, path, testOptions(dir), func(d *database) {
		for i := range 10 {
			if err := insertThing(ctx, d, fmt.Sprint(i), ""); err != nil {
				t.Fatal(err)
			}
		}
	})
	free := fill(t, dir)
	if f, err := OpenFolder(dir, FolderOptions{}); err == nil {
		_ = f.Close()
	} else if !strings.Contains(err.Error(), "no room") {
		t.Errorf("the folder is refused: %v", err)
	}
	isFull(t, refused(t, path, testOptions(dir)))
	free()
	d := openTestDatabase(t, path, testOptions(dir))
	if n := len(things(t, d)); n != 10 {
		t.Errorf("%d rows of 10", n)
	}
	if err := insertThing(ctx, d, "next", ""); err != nil {
		t.Error(err)
	}
}

func TestAFullDiskAtTheVeryFirstStart(t *testing.T) {
	dir := smallDisk(t, 4<<10)
	path := filepath.Join(dir, "test.db")
	free := fill(t, dir)
	isFull(t, refused(t, path, testOptions(dir)))
	free()
	d := openTestDatabase(t, path, testOptions(dir))
	if err := insertThing(context.Background(), d, "a", ""); err != nil {
		t.Error(err)
	}
}

func TestNoRoomForABackup(t *testing.T) {
	dir := smallDisk(t, 4<<10)
	path := filepath.Join(dir, "test.db")
	withDatabase(t, path, testOptions(dir), func(d *database) {
		for i := range 50 {
			if err := insertThing(context.Background(), d, fmt.Sprint(i), strings.Repeat("x", 10_000)); err != nil {
				t.Fatal(err)
			}
		}
	})
	// As much as opening takes, and no more.
	spare := filepath.Join(dir, "spare")
	write(t, spare, strings.Repeat("x", 256<<10))
	free := fill(t, dir)
	if err := os.Remove(spare); err != nil {
		t.Fatal(err)
	}
	err := refused(t, path, newerOptions(dir))
	isFull(t, err)
	if list := backupsOf(t, dir); len(list) != 0 {
		t.Errorf("the backups are %v", list)
	}
	free()
	if version, rows := versionOf(t, path); version != 1 || rows != 50 {
		t.Errorf("the file has schema %d and %d rows", version, rows)
	}
	withDatabase(t, path, newerOptions(dir), func(*database) {})
	if version, rows := versionOf(t, path); version != 2 || rows != 50 {
		t.Errorf("then the file has schema %d and %d rows", version, rows)
	}
}

// A shard that has no file yet cannot be made, which is said; those that are
// there are read on; and all goes on by itself.
func TestNoRoomForAShard(t *testing.T) {
	ctx := context.Background()
	dir := smallDisk(t, 4<<10)
	c := openTestCluster(t, dir, ClusterOptions{Shards: 8})
	acme := provisioned(t, c, "acme")
	if err := c.InsertDocument(ctx, acme, testDocument("first")); err != nil {
		t.Fatal(err)
	}
	bolt := located(t, c, "bolt")
	for bolt.Placement.Database == acme.Placement.Database {
		bolt = located(t, c, "bolt")
	}
	free := fill(t, dir)
	isFull(t, c.Provision(ctx, bolt))
	isFull(t, c.Health(ctx))
	if _, err := c.Document(ctx, acme, "first"); err != nil {
		t.Errorf("reading what is there: %v", err)
	}
	free()
	waitUntil(t, func() bool { return c.Health(ctx) == nil })
	if err := c.Provision(ctx, bolt); err != nil {
		t.Fatal(err)
	}
	works(t, c, bolt, "a")
	works(t, c, acme, "b")
}
