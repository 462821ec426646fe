package registrymove

import (
	"context"
	"time"

	"tenantry/app"
)

// writtenPerSecond is how many entries a registry takes at least, on whichever
// engine, for the estimate.
const writtenPerSecond = 5000

// Plan is what a move would do.
type Plan struct {
	Counts   Counts
	Estimate time.Duration
	// Needed is about how many bytes the target must have room for, and Room what
	// it has.
	Needed int64
	Room   app.Room
	// Before: it has ended already. Continues: it goes on with one that was broken
	// off.
	Before, Continues bool
}

// Plan says what Run would do, or refuses as it would, and changes nothing. What
// only writing shows, such as a missing right, it does not see.
func (m *Move) Plan(ctx context.Context) (Plan, error) {
	s, err := m.begin(ctx)
	if err != nil {
		return Plan{}, err
	}
	began := time.Now()
	counts, err := Count(ctx, m.Source)
	if err != nil {
		return Plan{}, err
	}
	reading := time.Since(began) // once to copy, and both sides to compare
	p := Plan{Counts: counts, Needed: app.RoomFor(counts.Entries, counts.Bytes), Before: s.at == ended, Continues: s.at == broken || s.at == given}
	if s.at == fresh || s.at == broken {
		p.Estimate = 3*reading + time.Duration(counts.Entries)*time.Second/writtenPerSecond
		p.Room, err = m.fits(ctx, p.Needed)
	}
	return p, err
}

// fits refuses a target that has no room for so much.
func (m *Move) fits(ctx context.Context, needed int64) (app.Room, error) {
	room, err := m.Target.Room(ctx)
	if err == nil && room.Known && needed > room.Free {
		err = refuse("at %s about %s are needed, a margin included, and %s are free; make room there, or choose another place",
			m.Target.Place, app.SizeWords(needed), app.SizeWords(room.Free))
	}
	return room, err
}

// Nowhere is a registry that is not there yet, to look at.
type Nowhere struct {
	app.MovableRegistry
	// There says how much room there is where it will be.
	There func() (app.Room, error)
}

// Room is that of the place.
func (n Nowhere) Room(context.Context) (app.Room, error) { return n.There() }

// Mark is that of a registry which was never moved.
func (Nowhere) Mark(context.Context) (app.RegistryMark, error) {
	return app.RegistryMark{State: app.RegistryOpen}, nil
}

// ExportEntries gives none.
func (Nowhere) ExportEntries(_ context.Context, _ app.RegistryNoun, after string, _ int) (app.RegistryPage, error) {
	return app.RegistryPage{After: after}, nil
}

// Close does nothing.
func (Nowhere) Close() error { return nil }
