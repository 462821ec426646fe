package web

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func newCall(in time.Duration) *call {
	now := time.Now()
	return &call{start: now, deadline: now.Add(in)}
}

func TestCallIsAContext(t *testing.T) {
	c := newCall(time.Hour)
	if at, ok := c.Deadline(); !ok || time.Until(at) > time.Hour || c.Err() != nil {
		t.Error(at, ok, c.Err())
	}
	if callOf(c) != c || c.Value("x") != nil || callOf(context.Background()) != nil {
		t.Error("the call is not found in its own context")
	}
	child, cancel := context.WithTimeout(c, time.Hour)
	defer cancel()
	if callOf(child) != c {
		t.Error("the call is not found in a child")
	}
	select {
	case <-child.Done():
		t.Fatal("done before its time")
	default:
	}
	c.end(errRequestOver)
	c.end(context.DeadlineExceeded) // the first counts
	<-c.Done()
	<-child.Done()
	if !errors.Is(c.Err(), context.Canceled) || !errors.Is(child.Err(), context.Canceled) {
		t.Error(c.Err(), child.Err())
	}
}

func TestCallEndsAtItsDeadline(t *testing.T) {
	c := newCall(10 * time.Millisecond)
	<-c.Done()
	if !errors.Is(c.Err(), context.DeadlineExceeded) {
		t.Error(c.Err())
	}
	// Without anybody who waits there is no timer, and Err knows all the same.
	c = newCall(-time.Second)
	if !errors.Is(c.Err(), context.DeadlineExceeded) || c.timer != nil {
		t.Error(c.Err(), c.timer)
	}
	<-c.Done()
	c = newCall(time.Hour)
	c.end(errRequestOver)
	<-c.Done()
}

func TestCallIsSafeForManyGoroutines(t *testing.T) {
	for range 50 {
		c := newCall(time.Millisecond)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() { <-c.Done(); _ = c.Err() })
			group.Go(func() { _ = c.Err(); _, _ = c.Deadline(); _ = callOf(c) })
		}
		group.Go(func() { c.end(errRequestOver) })
		group.Wait()
		if c.Err() == nil {
			t.Fatal("over without an error")
		}
	}
}

// keeping keeps the context of a request.
type keeping struct {
	Identity
	mu   sync.Mutex
	kept []context.Context
}

func (k *keeping) Logout(ctx context.Context, token string) error {
	k.mu.Lock()
	k.kept = append(k.kept, ctx)
	k.mu.Unlock()
	return k.Identity.Logout(ctx, token)
}

// A context that outlives its request is ended, and leads to nothing of the
// request that has its memory now.
func TestContextOfAnEndedRequest(t *testing.T) {
	k := &keeping{}
	w := newWorld(t, func(s *settings) {
		s.services = func(v *Services) { k.Identity = v.Identity; v.Identity = k }
	})
	for range 20 {
		if a := w.do("POST", "/v1/auth/logout", "", `{"refresh_token":"x"}`); a.status != 204 {
			t.Fatal(a)
		}
	}
	eventually(t, "the last request is over", func() bool { return w.server.active.Load() == 0 })
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, ctx := range k.kept {
		<-ctx.Done()
		if !errors.Is(ctx.Err(), context.Canceled) || callOf(ctx).fiber != nil {
			t.Error("a request that is over still has", ctx.Err(), callOf(ctx).fiber)
		}
	}
}
