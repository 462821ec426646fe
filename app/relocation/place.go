package relocation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"tenantry/app"
)

// Cluster is what moving needs of a cluster.
type Cluster interface {
	app.Moving
	Drop(ctx context.Context, ns app.Namespace) error
	Stats(ctx context.Context, ns app.Namespace) (app.NamespaceStats, error)
}

// place is one side of a relocation.
type place struct {
	Cluster
	ns app.Namespace
}

func (m *Mover) place(ctx context.Context, org app.OrganizationID, p app.Placement) (place, error) {
	out := place{ns: app.Namespace{Organization: org, Placement: p}}
	cluster, err := m.cluster(ctx, p.Cluster)
	if err != nil {
		return out, err
	}
	out.Cluster = cluster
	return out, nil
}

// generation is the one that the namespace has; 0 where that is not known.
func (p place) generation(ctx context.Context) int64 {
	if p.Cluster == nil {
		return 0
	}
	_, generation, err := p.Phase(ctx, p.ns)
	if err != nil {
		return 0
	}
	return generation
}

func (p place) phase(ctx context.Context, phase app.NamespacePhase) error {
	return p.SetPhase(ctx, p.ns, phase)
}

// look tells of the documents of these ids, each once, in order of ids.
func (p place) look(ctx context.Context, ids []app.DocumentID) (list []app.Sight, err error) {
	for ids = slices.Compact(slices.Sorted(slices.Values(ids))); len(ids) > 0; {
		more, err := p.Look(ctx, p.ns, ids[:min(len(ids), batch)], pageBytes)
		if err != nil {
			return nil, err
		}
		if len(more) == 0 {
			return nil, fmt.Errorf("nothing is told of document %s", ids[0])
		}
		list, ids = append(list, more...), ids[len(more):]
	}
	return list, nil
}

// same reports whether two documents are the same in all that they have; nil
// is none.
func same(a, b *app.Document) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ID == b.ID && a.Type == b.Type && a.Revision == b.Revision &&
		a.CreatedAt.Equal(b.CreatedAt) && a.UpdatedAt.Equal(b.UpdatedAt) && bytes.Equal(a.Data, b.Data)
}

// never reports whether an error says that trying again does not help.
func never(err error) bool {
	return errors.Is(err, app.ErrInvalid) || errors.Is(err, app.ErrTooLarge) || errors.Is(err, app.ErrConflict)
}
