package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"tenantry/app"
)

// stall keeps the writer busy until release, so that what is written meanwhile
// waits and becomes one group.
func stall(t *testing.T, d *database) (release func()) {
	t.Helper()
	begun, end := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- d.write(context.Background(), func(*conn) error {
			close(begun)
			<-end
			return nil
		})
	}()
	select {
	case <-begun:
	case err := <-done:
		t.Fatalf("the write that is to keep the others waiting: %v", err)
	}
	return sync.OnceFunc(func() {
		close(end)
		if err := <-done; err != nil {
			t.Errorf("the write that kept the others waiting: %v", err)
		}
	})
}

// group writes all of fs as one group, in this order, and returns what each
// was answered.
func group(t *testing.T, d *database, fs ...func(*conn) error) []error {
	t.Helper()
	release := stall(t, d)
	answers := make([]error, len(fs))
	var wait sync.WaitGroup
	for i, f := range fs {
		wait.Go(func() { answers[i] = d.write(context.Background(), f) })
		waitUntil(t, func() bool { return d.writer.queued() == i+1 })
	}
	release()
	wait.Wait()
	return answers
}

// waitUntil waits for something that is bound to come.
func waitUntil(t testing.TB, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("it never came")
		}
	}
}

func adds(id string) func(*conn) error {
	return func(c *conn) error { return addThing(c, id, "") }
}

func TestAGroupIsOneTransactionInOrder(t *testing.T) {
	t.Parallel()
	d := newTestDatabase(t)
	const n = 40
	var order []int
	fs := make([]func(*conn) error, n)
	for i := range n {
		fs[i] = func(c *conn) error {
			order = append(order, i)
			if err := addThing(c, fmt.Sprint(i), ""); err != nil || i < n-1 {
				return err
			}
			var all int
			if err := c.queryRow("SELECT count(*) FROM things").Scan(&all); err != nil || all != n {
				t.Errorf("the last of the group sees %d rows of %d: %v", all, n, err)
			}
			if seen := things(t, d); len(seen) != 0 {
				t.Errorf("a reader sees %d rows of a group that is not durable", len(seen))
			}
			return nil
		}
	}
	for i, err := range group(t, d, fs...) {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	for i, o := range order { // whoever came first is written first
		if o != i {
			t.Fatalf("the order of writes is %v", order)
		}
	}
	if len(things(t, d)) != n {
		t.Fatal("not all were written")
	}
}

func TestOnesFailureCostsNobodyElse(t *testing.T) {
	t.Parallel()
	refusal := errors.New("no")
	for name, tc := range map[string]struct {
		f    func(*conn) error
		want func(error) bool
	}{
		"refusal": {func(c *conn) error {
			if err := addThing(c, "bad", ""); err != nil {
				return err
			}
			return refusal
		}, func(err error) bool { return errors.Is(err, refusal) }},
		"unique": {func(c *conn) error {
			if err := addThing(c, "bad", ""); err != nil {
				return err
			}
			return addThing(c, "bad", "")
		}, func(err error) bool { return errors.Is(err, app.ErrConflict) }},
		"panic": {func(c *conn) error {
			if err := addThing(c, "bad", ""); err != nil {
				return err
			}
			panic("at the disco")
		}, func(err error) bool { return err != nil }},
		"panic while reading": {func(c *conn) error {
			if err := addThing(c, "bad", ""); err != nil {
				return err
			}
			return c.query(func(scanner) error { panic("in the middle of rows") }, "SELECT id FROM things")
		}, func(err error) bool { return err != nil }},
		"syntax": {func(c *conn) error {
			if err := addThing(c, "bad", ""); err != nil {
				return err
			}
			return c.run("SELEKT")
		}, func(err error) bool { return err != nil }},
		"ends the transaction": {func(c *conn) error {
			if err := addThing(c, "bad", ""); err != nil {
				return err
			}
			return c.run("ROLLBACK")
		}, func(err error) bool { return err != nil }},
		"fails at commit": {func(c *conn) error { // a reference that nothing fulfils
			_, err := c.exec("INSERT INTO parts (id, thing) VALUES ('bad', 'none')")
			return err
		}, func(err error) bool { return err != nil }},
		"no room": {func(c *conn) error {
			var pages int
			if err := c.queryRow("PRAGMA page_count").Scan(&pages); err != nil {
				return err
			}
			if err := c.run(fmt.Sprintf("PRAGMA max_page_count = %d", pages+8)); err != nil {
				return err
			}
			_, err := c.exec("INSERT INTO things (id, body) VALUES ('bad', zeroblob(1000000) || '')")
			return errors.Join(err, c.run("PRAGMA max_page_count = 4294967294"))
		}, func(err error) bool { return errors.Is(err, app.ErrNoSpace) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			d := openTestDatabase(t, dir+"/test.db", testOptions(dir,
				`CREATE TABLE parts (id TEXT PRIMARY KEY, thing TEXT NOT NULL REFERENCES things (id) DEFERRABLE INITIALLY DEFERRED) STRICT`))
			answers := group(t, d, adds("1"), adds("2"), tc.f, adds("3"), adds("4"))
			for i, err := range answers {
				if i == 2 {
					if !tc.want(err) {
						t.Errorf("the one who failed was answered %v", err)
					}
				} else if err != nil {
					t.Errorf("another was answered %v", err)
				}
			}
			all := things(t, d)
			if len(all) != 4 || all["bad"] {
				t.Errorf("there are %v", all)
			}
			if err := insertThing(context.Background(), d, "next", ""); err != nil {
				t.Errorf("the next write: %v", err)
			}
			if err := d.health(context.Background()); err != nil {
				t.Errorf("health: %v", err)
			}
		})
	}
}

// Trouble with the disk in the middle of a group is nobody's success, and the
// next write has a connection of its own.
func TestAConnectionInTroubleIsReplaced(t *testing.T) {
	t.Parallel()
	d := newTestDatabase(t)
	answers := group(t, d, adds("1"), func(c *conn) error {
		return errors.Join(addThing(c, "2", ""), syscall.EIO)
	}, adds("3"))
	for i, err := range answers {
		if !errors.Is(err, app.ErrUnavailable) {
			t.Errorf("%d was answered %v", i+1, err)
		}
	}
	if all := things(t, d); len(all) != 0 {
		t.Errorf("%v are there, and nobody was told", all)
	}
	if d.state.trouble.Load() == nil {
		t.Error("nothing is known of the trouble")
	}
	if err := insertThing(context.Background(), d, "4", ""); err != nil {
		t.Fatalf("the next write: %v", err)
	}
	if err := d.health(context.Background()); err != nil {
		t.Errorf("health after a write went through: %v", err)
	}
}

func TestCloseWritesWhatWaits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := ofdLocking(); err != nil {
		t.Fatal(err)
	}
	d, err := openDatabase(context.Background(), dir+"/test.db", testOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	release := stall(t, d)
	var wait sync.WaitGroup
	answers := make([]error, 20)
	for i := range answers {
		wait.Go(func() { answers[i] = insertThing(context.Background(), d, fmt.Sprint(i), "") })
	}
	waitUntil(t, func() bool { return d.writer.queued() == len(answers) })
	closed := make(chan error)
	go func() { closed <- d.close() }()
	waitUntil(t, func() bool {
		d.writer.mu.Lock()
		defer d.writer.mu.Unlock()
		return d.writer.closed
	})
	if err := insertThing(context.Background(), d, "late", ""); !errors.Is(err, app.ErrUnavailable) {
		t.Errorf("who came late was answered %v", err)
	}
	release()
	wait.Wait()
	for _, err := range answers {
		if err != nil {
			t.Errorf("who waited was answered %v", err)
		}
	}
	if err := <-closed; err != nil {
		t.Errorf("close: %v", err)
	}
	if err := d.close(); err != nil {
		t.Errorf("close again: %v", err)
	}
	if err := d.read(context.Background(), func(*conn) error { return nil }); !errors.Is(err, app.ErrUnavailable) {
		t.Errorf("a read after the end was answered %v", err)
	}
	if n := len(things(t, openTestDatabase(t, dir+"/test.db", testOptions(dir)))); n != len(answers) {
		t.Errorf("%d of %d are there", n, len(answers))
	}
}

func TestTooManyWhoWaitAreToldWhen(t *testing.T) {
	t.Parallel()
	d := newTestDatabase(t)
	release := stall(t, d)
	defer release()
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	for range queueLimit {
		r := &writeRequest{ctx: gone, f: adds("a"), done: make(chan struct{})}
		if err := d.writer.enqueue(r); err != nil {
			t.Fatal(err)
		}
	}
	var refusal *app.Error
	err := insertThing(context.Background(), d, "b", "")
	if !errors.As(err, &refusal) || !errors.Is(err, app.ErrUnavailable) || refusal.RetryAfter <= 0 {
		t.Fatalf("answered %v", err)
	}
	release()
	if err := insertThing(context.Background(), d, "c", ""); err != nil {
		t.Fatal(err)
	}
	if all := things(t, d); len(all) != 1 || !all["c"] {
		t.Fatalf("there are %v", all)
	}
}
