package sqlite

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// Readers that follow one another without a gap never leave SQLite a moment in
// which to begin its log anew: it grew to 500 MB in this way.
func TestTheLogIsBoundedUnderReaders(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 200 MB")
	}
	t.Parallel()
	d := newTestDatabase(t)
	ctx := context.Background()
	stop := make(chan struct{})
	in, wrote := make(chan struct{}), make(chan struct{})
	var readers sync.WaitGroup
	// Two readers, of whom each leaves only when the other is in and something
	// was written since, unless nobody writes.
	for n := range 2 {
		readers.Go(func() {
			for first := n == 0; ; first = false {
				err := d.snapshot(ctx, func(c *conn) error {
					var one int
					if err := c.queryRow("SELECT count(*) FROM things").Scan(&one); err != nil {
						return err
					}
					if !first {
						select {
						case in <- struct{}{}:
						case <-stop:
						}
					}
					select {
					case <-in:
					case <-stop:
					}
					select {
					case <-wrote:
					case <-time.After(20 * time.Millisecond):
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	body := strings.Repeat("x", 1<<20)
	most := int64(0)
	for i := range 96 {
		err := d.write(ctx, func(c *conn) error {
			_, err := c.exec("INSERT OR REPLACE INTO things (id, body) VALUES (?, ?)", fmt.Sprint(i%4), body)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, d.logBytes())
		select {
		case wrote <- struct{}{}:
		case <-time.After(20 * time.Millisecond): // it has left already
		}
	}
	close(stop)
	readers.Wait()
	// What a group may add before it is looked at, and what had to wait once.
	if most > 2*journalSizeLimit {
		t.Fatalf("the log grew to %d MiB; its limit is %d", most>>20, journalSizeLimit>>20)
	}
	if most < journalSizeLimit {
		t.Fatalf("the log grew to %d MiB alone: the readers were not in the way", most>>20)
	}
}

// One who reads for long does keep the log from being cut back, and costs the
// writers only a short wait now and then.
func TestTheLogIsCutBackAfterALongReader(t *testing.T) {
	t.Parallel()
	d := newTestDatabase(t)
	ctx := context.Background()
	body := strings.Repeat("x", 1<<20)
	var retry bool // at once
	write := func() {
		t.Helper()
		err := d.write(ctx, func(c *conn) error {
			if retry {
				d.writer.logTried = time.Time{}
			}
			_, err := c.exec("INSERT OR REPLACE INTO things (id, body) VALUES ('a', ?)", body)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := d.snapshot(ctx, func(c *conn) error {
		var n int
		if err := c.queryRow("SELECT count(*) FROM things").Scan(&n); err != nil {
			return err
		}
		for range 20 {
			write()
		}
		if size := d.logBytes(); size <= journalSizeLimit {
			t.Errorf("the log has %d bytes: the reader was not in the way", size)
		}
		var again int
		if err := c.queryRow("SELECT count(*) FROM things").Scan(&again); err != nil || again != n {
			t.Errorf("the snapshot sees %d rows and then %d: %v", n, again, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	retry = true
	for d.logBytes() > journalSizeLimit {
		write()
	}
}
