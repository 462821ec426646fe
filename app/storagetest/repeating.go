package storagetest

import (
	"testing"
	"time"

	"tenantry/app"
)

// repeatable is a creation with an idempotency key.
func (w *world) repeatable(slug, key string, expires time.Time) app.Creation {
	c := w.creation(slug)
	answer := c.Organization
	answer.State = app.StateActive
	c.Repetition = &app.Repetition{Key: key, Fingerprint: hashOf(slug), ExpiresAt: expires, Organization: answer}
	return c
}

func repeating(s registrySuite) {
	s.test("Repetition/IsRecordedWithTheCreation", func(t *testing.T, w *world) {
		c := w.repeatable("acme", "k", beginning.Add(time.Hour))
		w.begin(c)
		got, err := w.Repetition(w.ctx, "k")
		must(t, err)
		equal(t, "organization", got.Organization, c.Repetition.Organization)
		got.Organization, c.Repetition.Organization = app.Organization{}, app.Organization{}
		equal(t, "repetition", got, *c.Repetition)
	})

	s.test("Repetition/UnknownIsNotFound", func(t *testing.T, w *world) {
		_, err := w.Repetition(w.ctx, "k")
		is(t, err, app.ErrNotFound)
	})

	s.test("BeginCreate/RepeatedKeyIsTakenBeforeAnyName", func(t *testing.T, w *world) {
		c := w.repeatable("acme", "k", beginning.Add(time.Hour))
		w.begin(c)
		again := w.repeatable("acme", "k", beginning.Add(time.Hour))
		taken(t, w.BeginCreate(w.ctx, w.operation(app.OperationCreate, again.Organization), again), app.ConflictRepetition)
		_, err := w.Organization(w.ctx, again.Organization.ID)
		is(t, err, app.ErrNotFound)
	})

	s.test("BeginCreate/OneKeyOneWinner", func(t *testing.T, w *world) {
		creations := make([]app.Creation, 16)
		for i := range creations {
			creations[i] = w.repeatable("acme"+string(rune('a'+i)), "k", beginning.Add(time.Hour))
		}
		winner := oneWinner(t, race(len(creations), func(i int) error {
			return w.BeginCreate(w.ctx, w.operation(app.OperationCreate, creations[i].Organization), creations[i])
		}), app.ErrConflict)
		got, err := w.Repetition(w.ctx, "k")
		must(t, err)
		equal(t, "organization", got.Organization.ID, creations[winner].Organization.ID)
	})

	s.test("BeginCreate/AnExpiredKeyIsFree", func(t *testing.T, w *world) {
		first := w.repeatable("acme", "k", beginning)
		w.create(first)
		second := w.repeatable("bolt", "k", beginning.Add(time.Hour))
		w.create(second)
		got, err := w.Repetition(w.ctx, "k")
		must(t, err)
		equal(t, "organization", got.Organization.ID, second.Organization.ID)
	})

	s.test("AbandonCreate/GivesTheKeyBack", func(t *testing.T, w *world) {
		op := w.begin(w.repeatable("acme", "k", beginning.Add(time.Hour)))
		must(t, w.AbandonCreate(w.ctx, op, "why", w.now()))
		_, err := w.Repetition(w.ctx, "k")
		is(t, err, app.ErrNotFound)
		w.create(w.repeatable("acme", "k", beginning.Add(time.Hour)))
	})

	s.test("Repetition/OutlivesTheDeletion", func(t *testing.T, w *world) {
		c := w.repeatable("acme", "k", beginning.Add(time.Hour))
		org := w.create(c)
		op := w.operation(app.OperationDelete, org)
		must(t, w.BeginDelete(w.ctx, op, app.AnyRevision))
		must(t, w.FinishDelete(w.ctx, op, w.now()))
		got, err := w.Repetition(w.ctx, "k")
		must(t, err)
		equal(t, "organization", got.Organization, c.Repetition.Organization)
	})

	s.test("PruneRepetitions/RemovesThoseExpiredBefore", func(t *testing.T, w *world) {
		w.create(w.repeatable("acme", "old", beginning.Add(time.Hour)))
		w.create(w.repeatable("bolt", "young", beginning.Add(2*time.Hour)))
		n, err := w.PruneRepetitions(w.ctx, beginning.Add(2*time.Hour))
		must(t, err)
		equal(t, "removed", n, 1)
		_, err = w.Repetition(w.ctx, "old")
		is(t, err, app.ErrNotFound)
		_, err = w.Repetition(w.ctx, "young")
		must(t, err)
	})
}
