package storagetest

import (
	"fmt"
	"testing"
	"time"

	"tenantry/app"
)

func (w *world) signingKey(id string) app.SigningKey {
	return app.SigningKey{ID: id, Public: hashOf("public " + id), Sealed: append([]byte{0, 255, 1}, hashOf("sealed "+id)...), CreatedAt: w.now()}
}

func signingKeys(s registrySuite) {
	s.test("AddSigningKey/RoundTripsEveryField", func(t *testing.T, w *world) {
		want := w.signingKey("one")
		must(t, w.AddSigningKey(w.ctx, want, ""))
		got, err := w.SigningKeys(w.ctx)
		must(t, err)
		equal(t, "keys", got, []app.SigningKey{want})
	})

	s.test("AddSigningKey/RetiresTheCurrentOne", func(t *testing.T, w *world) {
		one, two, three := w.signingKey("one"), w.signingKey("two"), w.signingKey("a-third")
		must(t, w.AddSigningKey(w.ctx, one, ""))
		must(t, w.AddSigningKey(w.ctx, two, "one"))
		must(t, w.AddSigningKey(w.ctx, three, "two"))
		one.RetiredAt, two.RetiredAt = two.CreatedAt, three.CreatedAt
		got, err := w.SigningKeys(w.ctx)
		must(t, err)
		equal(t, "keys, the newest first", got, []app.SigningKey{three, two, one})
	})

	s.test("SigningKeys/TheNewestFirst", func(t *testing.T, w *world) {
		none, err := w.SigningKeys(w.ctx)
		must(t, err)
		equal(t, "keys of a new registry", len(none), 0)
		current := ""
		var want []string
		for _, id := range []string{"m", "z", "a", "k"} { // in no order of their own
			must(t, w.AddSigningKey(w.ctx, w.signingKey(id), current))
			current, want = id, append([]string{id}, want...)
		}
		keys, err := w.SigningKeys(w.ctx)
		must(t, err)
		got := make([]string, len(keys))
		for i, k := range keys {
			got[i] = k.ID
		}
		equal(t, "keys", got, want)
	})

	s.test("AddSigningKey/AnotherWasFirstIsStale", func(t *testing.T, w *world) {
		one, two := w.signingKey("one"), w.signingKey("two")
		is(t, w.AddSigningKey(w.ctx, one, "missing"), app.ErrStale)
		must(t, w.AddSigningKey(w.ctx, one, ""))
		is(t, w.AddSigningKey(w.ctx, two, ""), app.ErrStale)
		is(t, w.AddSigningKey(w.ctx, two, "missing"), app.ErrStale)
		must(t, w.AddSigningKey(w.ctx, two, "one"))
		is(t, w.AddSigningKey(w.ctx, w.signingKey("three"), "one"), app.ErrStale) // retired
		one.RetiredAt = two.CreatedAt
		got, err := w.SigningKeys(w.ctx)
		must(t, err)
		equal(t, "keys", got, []app.SigningKey{two, one})
	})

	s.test("AddSigningKey/ConcurrentServersOneWins", func(t *testing.T, w *world) {
		current := ""
		for round := range 3 { // first where there is none, then to replace it
			keys := make([]app.SigningKey, 16)
			for i := range keys {
				keys[i] = w.signingKey(fmt.Sprintf("%d-%d", round, i))
			}
			winner := oneWinner(t, race(len(keys), func(i int) error {
				return w.AddSigningKey(w.ctx, keys[i], current)
			}), app.ErrStale)
			got, err := w.SigningKeys(w.ctx)
			must(t, err)
			equal(t, "number of keys", len(got), round+1)
			equal(t, "the one that signs", got[0], keys[winner])
			current = keys[winner].ID
		}
	})

	s.test("RemoveSigningKeys/ThoseRetiredBefore", func(t *testing.T, w *world) {
		one, two, three := w.signingKey("one"), w.signingKey("two"), w.signingKey("three")
		must(t, w.AddSigningKey(w.ctx, one, ""))
		must(t, w.AddSigningKey(w.ctx, two, "one"))
		must(t, w.AddSigningKey(w.ctx, three, "two"))
		one.RetiredAt, two.RetiredAt = two.CreatedAt, three.CreatedAt
		must(t, w.RemoveSigningKeys(w.ctx, one.RetiredAt)) // not before: at
		got, err := w.SigningKeys(w.ctx)
		must(t, err)
		equal(t, "keys", got, []app.SigningKey{three, two, one})
		must(t, w.RemoveSigningKeys(w.ctx, one.RetiredAt.Add(time.Millisecond)))
		got, err = w.SigningKeys(w.ctx)
		must(t, err)
		equal(t, "keys", got, []app.SigningKey{three, two})
		must(t, w.RemoveSigningKeys(w.ctx, beginning.AddDate(100, 0, 0))) // never the one that signs
		got, err = w.SigningKeys(w.ctx)
		must(t, err)
		equal(t, "keys", got, []app.SigningKey{three})
	})
}
