package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/tenancy"
)

// TestChangesAreInForceAtOnce: whoever asks after a change was answered sees
// it, however many keep the caches warm meanwhile.
func TestChangesAreInForceAtOnce(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Name 0")
	var stop atomic.Bool
	for _, err := range atOnce(5, func(i int) error {
		if i > 0 {
			for !stop.Load() {
				_, _ = h.Get(h.ctx, o.owner, string(o.ID))
				_, _ = h.Get(h.ctx, o.owner, "name-0")
				_, _ = h.Get(h.ctx, operator, "name-1")
			}
			return nil
		}
		defer stop.Store(true)
		for n := range 25 {
			if _, err := h.Suspend(h.ctx, operator, string(o.ID)); err != nil {
				return err
			}
			if _, err := h.Get(h.ctx, o.owner, string(o.ID)); codeOf(err) != "organization_suspended" {
				return fmt.Errorf("after suspending: %w", err)
			}
			if _, err := h.Resume(h.ctx, operator, string(o.ID)); err != nil {
				return err
			}
			before, after := fmt.Sprint("name-", n%2), fmt.Sprint("name-", (n+1)%2)
			if _, err := h.rename(o, after); err != nil {
				return err
			}
			if got, err := h.Get(h.ctx, o.owner, after); err != nil || got.Slug != after {
				return fmt.Errorf("after renaming: %+v, %w", got, err)
			}
			if _, err := h.Get(h.ctx, o.owner, before); codeOf(err) != "organization_not_found" {
				return fmt.Errorf("under the old name: %w", err)
			}
		}
		if err := h.Delete(h.ctx, o.owner, string(o.ID), app.AnyRevision); err != nil {
			return err
		}
		if _, err := h.Get(h.ctx, o.owner, string(o.ID)); codeOf(err) != "organization_not_found" {
			return fmt.Errorf("after deleting: %w", err)
		}
		return nil
	}) {
		h.ok(err)
	}
}

// TestRequestsThatAreCancelled: whenever a caller goes away, what it began is
// done or was never begun.
func TestRequestsThatAreCancelled(t *testing.T) {
	h := newHouse(t)
	requests := 200
	if testing.Short() {
		requests = 40
	}
	made, gone := atomic.Int64{}, atomic.Int64{}
	for _, err := range atOnce(8, func(i int) error {
		for n := i; n < requests; n += 8 {
			ctx, cancel := context.WithTimeout(h.ctx, time.Duration(n%20)*3*time.Millisecond)
			o := input(fmt.Sprint("Cancelled ", n))
			org, err := h.Create(ctx, anonymous, o)
			if err == nil {
				made.Add(1)
				_, err = h.Update(ctx, app.Actor{Kind: app.AsUser, UserID: org.OwnerID}, string(org.ID), tenancy.UpdateInput{Name: ptr(fmt.Sprint("Renamed ", n))})
			}
			if err == nil && n%2 == 0 {
				err = h.Delete(ctx, operator, string(org.ID), app.AnyRevision)
			}
			if cancel(); err != nil {
				gone.Add(1)
				if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) && !errors.Is(err, app.ErrUnavailable) {
					return err
				}
			}
		}
		return nil
	}) {
		h.ok(err)
	}
	t.Logf("%d made, %d acts cancelled", made.Load(), gone.Load())
	h.tidy()
}
