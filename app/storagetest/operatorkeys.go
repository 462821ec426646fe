package storagetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tenantry/app"
)

func (w *world) operatorKey(name string) app.OperatorKey {
	return app.OperatorKey{ID: app.NewID[app.OperatorKeyID](), Name: name, Hash: hashOf(name), CreatedAt: w.now()}
}

func operatorKeys(s registrySuite) {
	s.test("CreateOperatorKey/RoundTripsEveryField", func(t *testing.T, w *world) {
		bare := w.operatorKey("bare")
		full := w.operatorKey("füll 🔑")
		full.LastUsedAt, full.ExpiresAt, full.RevokedAt = w.now(), w.now(), w.now()
		for _, want := range []app.OperatorKey{bare, full} {
			must(t, w.CreateOperatorKey(w.ctx, want))
			got, err := w.OperatorKeyByHash(w.ctx, want.Hash)
			must(t, err)
			equal(t, "key", got, want) // revoked and expired ones too
		}
	})

	s.test("CreateOperatorKey/NameOfALiveKeyIsTaken", func(t *testing.T, w *world) {
		first, second := w.operatorKey("one"), w.operatorKey("one")
		second.Hash = hashOf("another")
		must(t, w.CreateOperatorKey(w.ctx, first))
		var taken *app.TakenError
		if err := w.CreateOperatorKey(w.ctx, second); !errors.As(err, &taken) || taken.Field != app.ConflictOperatorKey {
			t.Fatalf("got %v, want the name to be taken", err)
		}
		_, err := w.OperatorKeyByHash(w.ctx, second.Hash)
		is(t, err, app.ErrNotFound)
		_, err = w.RevokeOperatorKey(w.ctx, first.ID, w.now())
		must(t, err)
		must(t, w.CreateOperatorKey(w.ctx, second))
	})

	s.test("OperatorKeyByHash/UnknownIsNotFound", func(t *testing.T, w *world) {
		must(t, w.CreateOperatorKey(w.ctx, w.operatorKey("one")))
		for _, hash := range [][]byte{hashOf("two"), hashOf("one")[:31], {}, nil} {
			_, err := w.OperatorKeyByHash(w.ctx, hash)
			is(t, err, app.ErrNotFound)
		}
	})

	s.test("ListOperatorKeys/InOrderOfID", func(t *testing.T, w *world) {
		first, second, third := w.operatorKey("b"), w.operatorKey("c"), w.operatorKey("a")
		for _, k := range []app.OperatorKey{second, third, first} {
			must(t, w.CreateOperatorKey(w.ctx, k))
		}
		got, err := w.ListOperatorKeys(w.ctx)
		must(t, err)
		equal(t, "keys", got, []app.OperatorKey{first, second, third})
	})

	s.test("RevokeOperatorKey/KeepsTheFirstTime", func(t *testing.T, w *world) {
		want, other := w.operatorKey("one"), w.operatorKey("two")
		must(t, w.CreateOperatorKey(w.ctx, want))
		must(t, w.CreateOperatorKey(w.ctx, other))
		want.RevokedAt = w.now()
		for _, at := range []time.Time{want.RevokedAt, w.now()} {
			got, err := w.RevokeOperatorKey(w.ctx, want.ID, at)
			must(t, err)
			equal(t, "key", got, want)
		}
		got, err := w.OperatorKeyByHash(w.ctx, want.Hash)
		must(t, err)
		equal(t, "key as read", got, want)
		got, err = w.OperatorKeyByHash(w.ctx, other.Hash)
		must(t, err)
		equal(t, "the other key", got, other)
	})

	s.test("RevokeOperatorKey/UnknownIsNotFound", func(t *testing.T, w *world) {
		_, err := w.RevokeOperatorKey(w.ctx, app.NewID[app.OperatorKeyID](), w.now())
		is(t, err, app.ErrNotFound)
	})

	s.test("TouchOperatorKeys/RecordsTheKnown", func(t *testing.T, w *world) {
		one, two, untouched := w.operatorKey("one"), w.operatorKey("two"), w.operatorKey("three")
		for _, k := range []app.OperatorKey{one, two, untouched} {
			must(t, w.CreateOperatorKey(w.ctx, k))
		}
		one.LastUsedAt, two.LastUsedAt = w.now(), w.now()
		must(t, w.TouchOperatorKeys(w.ctx, map[app.OperatorKeyID]time.Time{
			one.ID: one.LastUsedAt, app.NewID[app.OperatorKeyID](): w.now(), two.ID: two.LastUsedAt}))
		must(t, w.TouchOperatorKeys(w.ctx, nil))
		got, err := w.ListOperatorKeys(w.ctx)
		must(t, err)
		equal(t, "keys", got, []app.OperatorKey{one, two, untouched})
	})

	s.test("CreateFirstOperatorKey/OnlyWhereThereIsNone", func(t *testing.T, w *world) {
		first, second := w.operatorKey("first"), w.operatorKey("second")
		did, err := w.CreateFirstOperatorKey(w.ctx, first)
		must(t, err)
		equal(t, "did create", did, true)
		_, err = w.RevokeOperatorKey(w.ctx, first.ID, w.now())
		must(t, err)
		did, err = w.CreateFirstOperatorKey(w.ctx, second) // a revoked one counts
		must(t, err)
		equal(t, "did create a second", did, false)
		_, err = w.OperatorKeyByHash(w.ctx, second.Hash)
		is(t, err, app.ErrNotFound)
	})

	s.test("CreateFirstOperatorKey/ConcurrentServersOneWins", func(t *testing.T, w *world) {
		keys := make([]app.OperatorKey, 16)
		created := make([]bool, len(keys))
		for i := range keys {
			keys[i] = w.operatorKey(fmt.Sprintf("first of %d", i))
		}
		for _, err := range race(len(keys), func(i int) (err error) {
			created[i], err = w.CreateFirstOperatorKey(w.ctx, keys[i])
			return err
		}) {
			must(t, err)
		}
		var want []app.OperatorKey
		for i, did := range created {
			if did {
				want = append(want, keys[i])
			}
		}
		equal(t, "number of winners", len(want), 1)
		got, err := w.ListOperatorKeys(w.ctx)
		must(t, err)
		equal(t, "keys", got, want)
	})
}
