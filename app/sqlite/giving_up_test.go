package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"tenantry/app"
)

func TestWhoGivesUpWhileWaitingWritesNothing(t *testing.T) {
	t.Parallel()
	d := newTestDatabase(t)
	release := stall(t, d)
	ctx, cancel := context.WithCancel(context.Background())
	answer := make(chan error)
	go func() { answer <- insertThing(ctx, d, "given up", "") }()
	waitUntil(t, func() bool { return d.writer.queued() == 1 })
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) { // while the writer is still busy
		t.Errorf("answered %v", err)
	}
	release()
	if err := insertThing(context.Background(), d, "next", ""); err != nil {
		t.Fatal(err)
	}
	if all := things(t, d); len(all) != 1 {
		t.Errorf("there are %v", all)
	}
}

func TestWhoGivesUpWhileBeingWrittenIsToldTheOutcome(t *testing.T) {
	t.Parallel()
	d := newTestDatabase(t)
	ctx, cancel := context.WithCancel(context.Background())
	err := d.write(ctx, func(c *conn) error {
		cancel()
		return addThing(c, "a", "")
	})
	if err != nil || !things(t, d)["a"] {
		t.Fatalf("answered %v", err)
	}
}

// Ten thousand requests, each given up at some moment: whoever was told of
// success is there, whoever was told otherwise is not, and neither the writer
// nor any reader has a connection that answers nothing else any more.
func TestAStormOfCancellations(t *testing.T) {
	t.Parallel()
	requests := 10_000
	if testing.Short() {
		requests = 1_000
	}
	d := newTestDatabase(t)
	var next, acknowledged, refused atomic.Int64
	told := make([]error, requests)
	together(64, func(int) {
		for i := int(next.Add(1)) - 1; i < requests; i = int(next.Add(1)) - 1 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i%40)*25*time.Microsecond)
			told[i] = insertThing(ctx, d, fmt.Sprint(i), "")
			_ = d.read(ctx, func(c *conn) error {
				var n int
				return c.queryRow("SELECT 1 FROM things WHERE id = ?", fmt.Sprint(i)).Scan(&n)
			}) // given up as well
			cancel()
			if told[i] == nil {
				acknowledged.Add(1)
			} else {
				refused.Add(1)
			}
		}
	})
	all := things(t, d)
	for i, err := range told {
		if there := all[fmt.Sprint(i)]; there != (err == nil) {
			t.Fatalf("%d was answered %v and is there: %v", i, err, there)
		}
		// Where the disk is slow, those who gave up still stand in the queue.
		if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) && !errors.Is(err, app.ErrUnavailable) {
			t.Fatalf("%d was answered %v", i, err)
		}
	}
	t.Logf("%d acknowledged, %d given up", acknowledged.Load(), refused.Load())
	if refused.Load() == 0 {
		t.Error("nobody gave up: this proves nothing")
	}
	together(8, func(i int) {
		ctx := context.Background()
		if err := errors.Join(insertThing(ctx, d, fmt.Sprintf("after-%d", i), ""), d.health(ctx)); err != nil {
			t.Errorf("after the storm: %v", err)
		}
		things(t, d)
	})
}
