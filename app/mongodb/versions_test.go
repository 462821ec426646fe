package mongodb

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// nextVersion is a schema after today's, beside which programs may go on that
// know the given one.
func nextVersion(oldest int, migration func()) *schema {
	next := registrySchema
	next.oldest = oldest
	next.migrations = append(slices.Clone(next.migrations), func(context.Context, *server) error {
		migration()
		return nil
	})
	return &next
}

// A newer version that starts beside a running older one shuts it out before it
// migrates, or leaves it to go on, as its schema says.
func TestTwoVersionsSideBySide(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		today := len(registrySchema.migrations)
		for name, oldest := range map[string]int{"which may go on": today, "which may not": today + 1} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				url := s.URL(s.Database(t)) + "&timeoutMS=2000"
				older, err := OpenRegistry(t.Context(), Options{URL: url, AppVersion: "1.0", Lease: closingLease})
				must(t, err)
				defer func() { _ = older.Close() }()
				eventually(t, "the older one has heard of the registry", older.Trusted)
				goesOn := oldest == today
				open := true
				newer, err := OpenRegistry(t.Context(), Options{URL: url, AppVersion: "2.0", Lease: closingLease,
					known: nextVersion(oldest, func() { open = older.Closed() == nil })})
				must(t, err)
				defer func() { _ = newer.Close() }()
				if open != goesOn {
					t.Fatalf("during the migration the older one was open: %v", open)
				}
				for range 2 { // now, and after it has looked again
					err = older.Closed()
					if goesOn {
						must(t, err)
						op, c := creation("acme" + name[len(name)-2:])
						must(t, older.BeginCreate(t.Context(), op, c))
						_, err = older.FinishCreate(t.Context(), op, app.Now())
						must(t, err)
						break
					}
					var out *ShutOutError
					var told *app.Error
					if !errors.As(err, &out) || !errors.As(err, &told) || !errors.Is(err, app.ErrUnavailable) ||
						!strings.Contains(told.Detail, "install tenantry 2.0 or newer") || older.Trusted() {
						t.Fatalf("the older one goes on: %v", err)
					}
					time.Sleep(2 * closingLease)
				}
				op, c := creation("newer")
				must(t, newer.BeginCreate(t.Context(), op, c))
				must(t, newer.Closed())
				_, err = OpenRegistry(t.Context(), Options{URL: url, AppVersion: "1.0"})
				var refused *NewerError
				if !errors.As(err, &refused) {
					t.Fatalf("the older one starts anew: %v", err)
				}
			})
		}
	})
}

// A server that was stopped when a newer version shut it out does nothing when
// it goes on: it looks first.
func TestAnOlderVersionThatWakes(t *testing.T) {
	s := mongotest.Shared(t, mongotest.ReplicaSet)
	url := s.URL(s.Database(t)) + "&timeoutMS=2000"
	var asleep atomic.Bool // hears nothing of its feed
	wake := make(chan struct{})
	older, err := OpenRegistry(t.Context(), Options{URL: url, AppVersion: "1.0", Lease: closingLease,
		Monitor: &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
			if e.CommandName == "getMore" && asleep.Load() {
				<-wake
			}
		}}})
	must(t, err)
	defer func() { _ = older.Close() }()
	defer close(wake)
	eventually(t, "the older one has heard of the registry", older.Trusted)
	asleep.Store(true)
	newer, err := OpenRegistry(t.Context(), Options{URL: url, AppVersion: "2.0", Lease: closingLease,
		known: nextVersion(len(registrySchema.migrations)+1, func() {})})
	must(t, err)
	defer func() { _ = newer.Close() }()
	var out *ShutOutError
	if err := older.Closed(); !errors.As(err, &out) || out.Wrote != "2.0" {
		t.Fatalf("it goes on: %v", err)
	}
}
