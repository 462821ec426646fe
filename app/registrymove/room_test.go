package registrymove

import (
	"context"
	"errors"
	"strings"
	"testing"

	"tenantry/app"
)

// cramped is a registry that says how much room it has.
type cramped struct {
	app.MovableRegistry
	room app.Room
}

func (c cramped) Room(context.Context) (app.Room, error) { return c.room, nil }

// What does not fit is refused with the figures before anything is marked; a
// store that does not say how much room it has is no reason.
func TestRoomAtTheTarget(t *testing.T) {
	from, to := inFolder(t), inFolder(t)
	inhabited(t, from)
	before, there := all(t, from), all(t, to)
	m, closed := between(t, from, to)
	target := m.Target.MovableRegistry
	has := func(room app.Room) { m.Target.MovableRegistry = cramped{target, room} }

	has(app.Room{Known: true, Free: 2_000_000})
	for what, f := range map[string]func() error{
		"plan": func() error { _, err := m.Plan(t.Context()); return err },
		"run":  func() error { _, err := m.Run(t.Context()); return err },
	} {
		var refused *RefusedError
		if err := f(); !errors.As(err, &refused) || !strings.Contains(refused.Detail, "2.0 MB are free") || !strings.Contains(refused.Detail, to.name) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, room := range []app.Room{{}, {Known: true, Free: 1 << 40}} {
		has(room)
		plan, err := m.Plan(t.Context())
		if err != nil || plan.Room != room || plan.Needed < plan.Counts.Bytes {
			t.Errorf("with %+v: %+v (%v)", room, plan, err)
		}
	}
	closed()
	sameAs(t, from, before)
	sameAs(t, to, there)
	m, closed = between(t, from, to)
	defer closed()
	if _, err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}
