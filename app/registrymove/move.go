package registrymove

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"tenantry/app"
)

// pageSize is how many entries are read and written at once.
const pageSize = 500

// rounds is how often what differs is copied again. Nothing should.
const rounds = 3

// reopenWithin bounds the opening of the old registry after a failure.
const reopenWithin = 30 * time.Second

// Registry is one side of a move.
type Registry struct {
	app.MovableRegistry
	// Place is where it is, for people and marks: without a secret.
	Place string
}

// Move moves what is in Source to Target.
type Move struct {
	Source, Target Registry
	// Report is told what is being done. It may be nil.
	Report func(Progress)
	Now    func() time.Time
	Log    *slog.Logger
}

// The phases of a move.
const (
	Closing   = "closing"
	Copying   = "copying"
	Comparing = "comparing"
)

// Progress is how far a move is.
type Progress struct {
	Phase string // Closing, Copying or Comparing
	Noun  app.RegistryNoun
	// Entries are those of the noun that are done.
	Entries int64
}

// Result is a move that has ended.
type Result struct {
	// Before: it had ended already.
	Before bool
	At     time.Time
	Counts Counts
}

// RefusedError says why nothing was moved, and what to do. It is an
// ErrConflict.
type RefusedError struct{ Detail string }

func (e *RefusedError) Error() string { return e.Detail }

// Is makes errors.Is see ErrConflict.
func (e *RefusedError) Is(target error) bool { return target == app.ErrConflict }

func refuse(format string, args ...any) error {
	return &RefusedError{Detail: fmt.Sprintf(format, args...)}
}

// Run moves the registry, or goes on with a move that was broken off. What is
// returned as an error has left the old registry in force, unless the error says
// otherwise; a RefusedError has changed nothing.
func (m *Move) Run(ctx context.Context) (Result, error) {
	s, err := m.begin(ctx)
	if err != nil {
		return Result{}, err
	}
	switch s.at {
	case ended:
		return Result{Before: true, At: s.source.At}, nil
	case given:
		return Result{At: s.source.At}, m.open(ctx, s.source.Migration)
	case fresh:
		there, err := Count(ctx, m.Source)
		if err != nil {
			return Result{}, err
		}
		if _, err := m.fits(ctx, app.RoomFor(there.Entries, there.Bytes)); err != nil {
			return Result{}, err
		}
		if err := m.mark(ctx, &s); err != nil {
			return Result{}, err
		}
	case broken:
	}
	counts, err := m.copy(ctx, s)
	if err != nil {
		return Result{}, m.reopen(ctx, s, err)
	}
	at := m.Now()
	gone := app.RegistryMark{State: app.RegistryMoved, Migration: s.migration, Peer: m.Target.Place, At: at}
	if err := m.Source.SetMark(ctx, gone); err != nil {
		// Whether it is written is not known: opening the old one now could open both.
		return Result{}, fmt.Errorf("everything is copied, but that the old registry is left could not be recorded; run this again: %w", err)
	}
	return Result{At: at, Counts: counts}, m.open(ctx, s.migration)
}

// open opens the new registry.
func (m *Move) open(ctx context.Context, migration string) error {
	err := m.Target.SetMark(ctx, app.RegistryMark{State: app.RegistryOpen, Migration: migration, Peer: m.Source.Place, At: m.Now()})
	if err != nil {
		return fmt.Errorf("everything is copied, and the old registry is left, but the new one is not open yet; run this again: %w", err)
	}
	return nil
}

// mark marks both registries, the new one first.
func (m *Move) mark(ctx context.Context, s *state) error {
	receiving := app.RegistryMark{State: app.RegistryReceiving, Migration: s.migration, Peer: m.Source.Place, At: m.Now()}
	if err := m.Target.SetMark(ctx, receiving); err != nil {
		return fmt.Errorf("the new registry: %w", err)
	}
	m.report(Progress{Phase: Closing})
	moving := app.RegistryMark{State: app.RegistryMoving, Migration: s.migration, Peer: m.Target.Place, At: m.Now()}
	if err := m.Source.SetMark(ctx, moving); err != nil {
		return m.reopen(ctx, *s, err)
	}
	return nil
}

// reopen puts the old registry in force again, after cause.
func (m *Move) reopen(ctx context.Context, s state, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reopenWithin)
	defer cancel()
	open := app.RegistryMark{State: app.RegistryOpen, Migration: s.migration, Peer: m.Target.Place, At: m.Now()}
	if err := m.Source.SetMark(ctx, open); err != nil {
		m.Log.Error("the old registry could not be opened again", "error", err)
		return fmt.Errorf("the old registry stays closed: run this again, or with --cancel: %w", cause)
	}
	return fmt.Errorf("the old registry is in force again: %w", cause)
}

// Cancel gives a move up that was broken off, and puts the old registry in force
// again.
func Cancel(ctx context.Context, source Registry, now time.Time) error {
	mark, err := source.Mark(ctx)
	if err != nil {
		return err
	}
	switch mark.State {
	case app.RegistryMoving:
		mark.State, mark.At = app.RegistryOpen, now
		return source.SetMark(ctx, mark)
	case app.RegistryOpen:
		return refuse("the registry at %s is in force; there is nothing to give up", source.Place)
	case app.RegistryMoved, app.RegistryReceiving:
	}
	return refuse("this cannot be given up any more, or not from here: %s", mark.Closed())
}

func (m *Move) report(p Progress) {
	if m.Report != nil {
		m.Report(p)
	}
}
