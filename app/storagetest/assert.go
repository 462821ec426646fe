package storagetest

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"

	"tenantry/app"
)

// must stops the test at an error that nothing in it is about.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

// is checks a kind of failure as callers do, through any wrapping.
func is(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("got error %v, want one that is %q", err, kind)
	}
}

// taken checks that a refusal names the field that conflicts.
func taken(t *testing.T, err error, field app.ConflictField) {
	t.Helper()
	var refusal *app.TakenError
	if !errors.As(err, &refusal) || refusal.Field != field {
		t.Fatalf("got error %v, want a TakenError of %q", err, field)
	}
	is(t, err, app.ErrConflict)
}

// cancelled checks the answer to a request that was given up.
func cancelled(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, context.Canceled) && !errors.Is(err, app.ErrUnavailable) {
		t.Fatalf("got error %v, want context.Canceled or %q", err, app.ErrUnavailable)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if got, want := plain(got), plain(want); !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// plain makes equal what a store may not be able to tell apart: an empty list
// or map and none at all.
func plain(v any) any {
	switch v := v.(type) {
	case app.Organization:
		if len(v.Metadata) == 0 {
			v.Metadata = nil
		}
		return v
	case []app.Organization:
		return each(v)
	case app.Session:
		if len(v.PreviousHash) == 0 {
			v.PreviousHash = nil
		}
		return v
	case []app.Document:
		return each(v)
	case []app.Change:
		return each(v)
	case []string:
		return each(v)
	}
	return v
}

func each[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = plain(v)
	}
	return out
}

// race runs f n times at the same moment and returns what each answered.
func race(n int, f func(i int) error) []error {
	answers := make([]error, n)
	start := make(chan struct{})
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			<-start
			answers[i] = f(i)
		})
	}
	close(start)
	wait.Wait()
	return answers
}

// oneWinner checks that exactly one got through and every other was refused
// with one of the kinds. It returns the winner.
func oneWinner(t *testing.T, answers []error, kinds ...error) int {
	t.Helper()
	winner := -1
	for i, err := range answers {
		if err == nil {
			if winner >= 0 {
				t.Fatalf("both %d and %d won", winner, i)
			}
			winner = i
			continue
		}
		known := false
		for _, kind := range kinds {
			known = known || errors.Is(err, kind)
		}
		if !known {
			t.Fatalf("loser %d got error %v, want one of %v", i, err, kinds)
		}
	}
	if winner < 0 {
		t.Fatalf("nobody won: %v", answers)
	}
	return winner
}

func ptr[T any](v T) *T { return &v }
