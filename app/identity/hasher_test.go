package identity

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tenantry/app"
)

func testHasher(t *testing.T, workers int, maxWait time.Duration) *hasher {
	h := newHasher(Config{BcryptCost: 12, Workers: workers, MaxWait: maxWait}, slog.New(slog.DiscardHandler))
	t.Cleanup(h.Close)
	return h
}

// TestStormIsAnsweredInTime has 64 clients who sign in without pause, in the
// virtual time of synctest, while a hash takes what it takes on a free and
// then on a busy machine.
func TestStormIsAnsweredInTime(t *testing.T) {
	for _, workers := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			h := testHasher(t, workers, 4*time.Second)
			var takes atomic.Int64
			takes.Store(int64(250 * time.Millisecond))
			var served, refused atomic.Int64
			end := time.Now().Add(2 * time.Minute)
			var clients sync.WaitGroup
			for range 64 {
				clients.Go(func() {
					for time.Now().Before(end) {
						begin := time.Now()
						err := h.admission(t.Context())
						if err == nil {
							err = h.run(t.Context(), func() { time.Sleep(time.Duration(takes.Load())) })
						}
						if waited := time.Since(begin); waited > 5*time.Second {
							t.Errorf("answered after %v", waited)
						}
						if err == nil {
							served.Add(1)
							continue
						}
						refused.Add(1)
						wantBusy(t, err)
					}
				})
			}
			time.Sleep(time.Minute)
			inFirst, refusedFirst := served.Load(), refused.Load()
			takes.Store(int64(3 * time.Second)) // everything else wants the machine too
			clients.Wait()

			if least := int64(workers) * 4 * 60 * 9 / 10; inFirst < least {
				t.Errorf("%d workers served %d in a minute of 250 ms hashes, want %d", workers, inFirst, least)
			}
			if least := int64(workers) * 60 / 3 / 2; served.Load()-inFirst < least {
				t.Errorf("%d workers served %d in a minute of 3 s hashes, want %d", workers, served.Load()-inFirst, least)
			}
			if most := int64(64 * 60); workers == 1 && (refusedFirst > most || refusedFirst < most/2) {
				t.Errorf("%d refusals in the first minute, want at most one a second and client", refusedFirst)
			}
		})
	}
}

func wantBusy(t *testing.T, err error) {
	t.Helper()
	var e *app.Error
	if !errors.As(err, &e) || e.Code != "sign_in_busy" || !errors.Is(err, app.ErrUnavailable) ||
		e.RetryAfter < time.Second || e.RetryAfter%time.Second != 0 {
		t.Fatalf("got %v, want sign_in_busy with RetryAfter in whole seconds", err)
	}
}

func TestQueueIsFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := testHasher(t, 1, 4*time.Second)
		var order []int
		var all sync.WaitGroup
		for i := range 5 {
			all.Go(func() {
				if err := h.run(t.Context(), func() { time.Sleep(100 * time.Millisecond); order = append(order, i) }); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		for i, got := range order {
			if got != i {
				t.Fatalf("order %v", order)
			}
		}
	})
}

func TestCancelledWaiterGivesItsPlaceUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := testHasher(t, 1, 4*time.Second)
		var all sync.WaitGroup
		all.Go(func() { _ = h.run(t.Context(), func() { time.Sleep(2 * time.Second) }) })
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		ran := false
		all.Go(func() {
			if err := h.run(ctx, func() { ran = true }); !errors.Is(err, context.Canceled) {
				t.Errorf("run: %v", err)
			}
		})
		synctest.Wait()
		if h.Stats().Queued != 1 {
			t.Fatalf("stats %+v", h.Stats())
		}
		cancel()
		synctest.Wait()
		if s := h.Stats(); s.Queued != 0 || s.Running != 1 {
			t.Errorf("stats after the cancellation %+v", s)
		}
		all.Wait()
		if ran {
			t.Error("a cancelled job ran")
		}
	})
}

func TestCancelledWhileItRunsIsAnsweredAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := testHasher(t, 1, 4*time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		begin := time.Now()
		err := h.run(ctx, func() { time.Sleep(3 * time.Second) })
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 100*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if err := h.run(t.Context(), func() {}); err != nil { // behind it
			t.Error(err)
		}
	})
}

func TestOneThatWaitedTooLongMakesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := testHasher(t, 1, 4*time.Second)
		h.average = 500 * time.Millisecond
		var all sync.WaitGroup
		all.Go(func() { _ = h.run(t.Context(), func() { time.Sleep(3900 * time.Millisecond) }) })
		synctest.Wait()
		late, next := errors.New("not run"), errors.New("not run")
		begin := time.Now()
		all.Go(func() {
			late = h.run(t.Context(), func() { t.Error("it could not be done in time") })
			if since := time.Since(begin); since != 3900*time.Millisecond {
				t.Errorf("refused after %v", since)
			}
		})
		time.Sleep(time.Second)
		h.mu.Lock()
		h.average = 10 * time.Millisecond // so that another is let in
		h.running = map[*hashJob]struct{}{}
		h.mu.Unlock()
		all.Go(func() { next = h.run(t.Context(), func() {}) })
		synctest.Wait()
		h.mu.Lock()
		h.average = 500 * time.Millisecond
		h.mu.Unlock()
		all.Wait()
		wantBusy(t, late)
		if next != nil {
			t.Errorf("the one behind it: %v", next)
		}
	})
}

func TestSlowHashIsStillServedWhenNobodyElseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := testHasher(t, 1, 4*time.Second)
		h.average, h.fastest = 6*time.Second, 6*time.Second // cost 17
		if err := h.admission(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := h.run(t.Context(), func() { time.Sleep(6 * time.Second) }); err != nil {
			t.Error(err)
		}
	})
}

func TestAStormIsForgottenSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := testHasher(t, 1, 4*time.Second)
		h.average = 3 * time.Second
		for range 4 {
			if err := h.run(t.Context(), func() { time.Sleep(100 * time.Millisecond) }); err != nil {
				t.Fatal(err)
			}
		}
		if got := h.Stats().Average; got > 400*time.Millisecond {
			t.Errorf("the average is still %v", got)
		}
	})
}

func TestRefusalsAreHeldBackButNotWithoutBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := testHasher(t, 1, time.Second)
		go func() { _ = h.run(t.Context(), func() { time.Sleep(time.Minute) }) }()
		synctest.Wait()
		time.Sleep(2 * time.Second) // now it is plain how slow it is
		var quick, slow atomic.Int64
		var all sync.WaitGroup
		for range maxHeld + 100 {
			all.Go(func() {
				begin := time.Now()
				wantBusy(t, h.admission(t.Context()))
				switch time.Since(begin) {
				case 0:
					quick.Add(1)
				case time.Second:
					slow.Add(1)
				default:
					t.Errorf("held for %v", time.Since(begin))
				}
			})
		}
		all.Wait()
		if quick.Load() != 100 || slow.Load() != maxHeld {
			t.Errorf("%d at once, %d held", quick.Load(), slow.Load())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := h.admission(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cancelled while held: %v", err)
		}
	})
}

func TestCloseRefusesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.GOMAXPROCS(0)
		h := testHasher(t, 2, 4*time.Second)
		if got := runtime.GOMAXPROCS(0); got != before+2 {
			t.Errorf("GOMAXPROCS %d, want room for 2 beside %d", got, before)
		}
		var done, refused atomic.Int64
		for range 4 {
			go func() {
				if err := h.run(t.Context(), func() { time.Sleep(time.Second) }); err == nil {
					done.Add(1)
				} else {
					wantBusy(t, err)
					refused.Add(1)
				}
			}()
		}
		synctest.Wait()
		h.Close()
		h.Close()
		synctest.Wait()
		if done.Load() != 2 || refused.Load() != 2 {
			t.Errorf("%d done, %d refused", done.Load(), refused.Load())
		}
		wantBusy(t, h.run(t.Context(), func() { t.Error("ran after the end") }))
		if got := runtime.GOMAXPROCS(0); got != before {
			t.Errorf("GOMAXPROCS %d, want %d again", got, before)
		}
	})
}
