package tenancy_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"tenantry/app"
)

// undoing is a registry where the first request under a key is undone while the
// second one looks at it.
type undoing struct {
	app.Registry
	undo  sync.Once
	first app.Operation
	check error // what the second one is told of its names; nil: the truth
}

func (u *undoing) abandon(ctx context.Context) (err error) {
	u.undo.Do(func() { err = u.AbandonCreate(ctx, u.first, "its server is gone", app.Now()) })
	return err
}

func (u *undoing) CheckCreate(ctx context.Context, c app.Creation, t time.Time) error {
	if u.check == nil {
		return u.Registry.CheckCreate(ctx, c, t)
	}
	if err := u.abandon(ctx); err != nil {
		return err
	}
	return u.check
}

func (u *undoing) Repetition(ctx context.Context, key string) (app.Repetition, error) {
	r, err := u.Registry.Repetition(ctx, key)
	if err != nil {
		return r, err
	}
	return r, u.abandon(ctx)
}

// stopped is a registry that a server dies before, when it has recorded a
// creation.
type stopped struct {
	app.Registry
	op app.Operation
}

func (s *stopped) BeginCreate(ctx context.Context, op app.Operation, c app.Creation) error {
	if err := s.Registry.BeginCreate(ctx, op, c); err != nil {
		return err
	}
	s.op = op
	return app.ErrUnavailable
}

// What is undone at this moment was not made: who asks again is not told that it
// was, nor that somebody else has the name.
func TestTheFirstUnderAKeyIsUndoneMeanwhile(t *testing.T) {
	for name, check := range map[string]error{
		"when it was found":   nil,
		"when its names were": app.Taken(app.ConflictSlug),
		"when its key was":    app.Taken(app.ConflictRepetition),
		"when its email was":  app.Taken(app.ConflictEmail),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			in := input("Acme")
			in.IdempotencyKey, in.Request = "k", []byte("acme")
			dies := &stopped{Registry: h.registry}
			if _, err := h.serve(dies, h.cluster, openHouse).Create(h.ctx, anonymous, in); err == nil {
				t.Fatal("the first one was answered")
			}
			s := h.serve(&undoing{Registry: h.registry, first: dies.op, check: check}, h.cluster, openHouse)
			org, err := s.Create(h.ctx, anonymous, in)
			if err != nil { // to be asked again, then
				h.wantCode(err, "idempotency_key_in_use")
				org, err = s.Create(h.ctx, anonymous, in)
			}
			h.ok(err)
			if there := h.organization(org.ID); there.State != app.StateActive {
				t.Errorf("it is %s", there.State)
			}
			again, err := s.Create(h.ctx, anonymous, in)
			if err != nil || again.ID != org.ID {
				t.Errorf("repeated, it is %s (%v), and was %s", again.ID, err, org.ID)
			}
			h.tidy()
		})
	}
}
