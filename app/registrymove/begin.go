package registrymove

import (
	"context"
	"reflect"

	"tenantry/app"
)

// stage is where a move is found.
type stage int

const (
	fresh  stage = iota // nothing is marked, or to be marked anew
	broken              // both are marked, and the old one is the truth
	given               // the old one is given up, and the new one not open yet
	ended
)

// state is what a move begins from.
type state struct {
	at             stage
	source, target app.RegistryMark
	// migration is this try's name.
	migration string
}

// begin finds out where the move is, and refuses what must not be moved, or not
// there.
func (m *Move) begin(ctx context.Context) (s state, err error) {
	if m.Source.Place == m.Target.Place {
		return s, refuse("%s is the place where the registry is already", m.Target.Place)
	}
	if s.source, err = m.Source.Mark(ctx); err != nil {
		return s, err
	}
	if s.target, err = m.Target.Mark(ctx); err != nil {
		return s, err
	}
	pair := s.source.Migration != "" && s.source.Migration == s.target.Migration
	s.migration = s.source.Migration
	switch s.source.State {
	case app.RegistryReceiving:
		return s, &app.ClosedRegistryError{Mark: s.source}
	case app.RegistryMoved:
		switch {
		case pair && s.target.State == app.RegistryReceiving:
			s.at = given
			return s, nil
		case pair && s.target.State == app.RegistryOpen:
			s.at = ended
			return s, nil
		}
		return s, &app.ClosedRegistryError{Mark: s.source}
	case app.RegistryMoving:
		if pair && s.target.State == app.RegistryReceiving {
			s.at = broken
			return s, nil
		}
		if s.source.Peer != m.Target.Place {
			return s, refuse("the registry is being moved to %s already; end that, or give it up with --cancel", s.source.Peer)
		}
	case app.RegistryOpen:
		there, err := hasEntries(ctx, m.Source)
		if err != nil {
			return s, err
		}
		if !there {
			return s, refuse("there is nothing to move: at %s is no registry, or a new one", m.Source.Place)
		}
		s.migration = string(app.NewID[app.OperationID]())
	}
	s.at = fresh
	return s, m.receivable(ctx, s, pair)
}

// alike reports whether what comes first in both is the same.
func (m *Move) alike(ctx context.Context) (bool, error) {
	for _, noun := range app.RegistryNouns() {
		a, err := m.Source.ExportEntries(ctx, noun, "", pageSize)
		if err != nil {
			return false, err
		}
		b, err := m.Target.ExportEntries(ctx, noun, "", pageSize)
		if err != nil || !reflect.DeepEqual(a, b) {
			return false, err
		}
	}
	return true, nil
}

// hasEntries reports whether there is anything in a registry.
func hasEntries(ctx context.Context, r Registry) (bool, error) {
	for _, noun := range app.RegistryNouns() {
		page, err := r.ExportEntries(ctx, noun, "", 1)
		if err != nil || len(page.Entries) > 0 {
			return true, err
		}
	}
	return false, nil
}

// receivable refuses a target that holds something that is not to be lost.
func (m *Move) receivable(ctx context.Context, s state, pair bool) error {
	switch s.target.State {
	case app.RegistryReceiving:
		if pair || s.target.Peer == m.Source.Place {
			return nil // of a try that was given up
		}
		return refuse("a migration from %s into %s has not ended; end that, or remove what is at %s",
			s.target.Peer, m.Target.Place, m.Target.Place)
	case app.RegistryMoved:
		if pair {
			return nil // it was left for the source, which has everything since
		}
		return refuse("at %s is a registry that was moved to %s; remove it, or choose another place", m.Target.Place, s.target.Peer)
	case app.RegistryMoving:
		return refuse("at %s is a registry that is being moved to %s; end that first, or choose another place", m.Target.Place, s.target.Peer)
	case app.RegistryOpen:
	}
	there, err := Count(ctx, m.Target)
	if err != nil {
		return err
	}
	if there.Entries > 0 {
		same, err := m.alike(ctx)
		if err != nil {
			return err
		}
		if same {
			return refuse("%s is the place where the registry is already, by another way, or has a copy of it; choose another place", m.Target.Place)
		}
		return refuse("at %s is a registry already, with %s; remove it, or choose another place", m.Target.Place, there.Words())
	}
	return nil
}
