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
	p := Plan{Counts: counts, Before: s.at == ended, Continues: s.at == broken || s.at == given}
	if s.at == fresh || s.at == broken {
		p.Estimate = 3*reading + time.Duration(counts.Entries)*time.Second/writtenPerSecond
	}
	return p, nil
}

// Nowhere is a registry that is not there yet, to look at.
type Nowhere struct{ app.MovableRegistry }

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
