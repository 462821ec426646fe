package relocation

import (
	"bytes"
	"context"
	"errors"

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

// document reads one document in whichever phase, or nil.
func (p place) document(ctx context.Context, id app.DocumentID) (*app.Document, error) {
	list, err := p.Scan(ctx, p.ns, app.DocumentQuery{After: before(id), Limit: 1})
	if err != nil || len(list) == 0 || list[0].ID != id {
		return nil, err
	}
	return &list[0], nil
}

// before sorts after every document id that sorts before id, and before id: the
// last byte of an id is never the first of its alphabet, and nothing in an id
// sorts after '~'.
func before(id app.DocumentID) app.DocumentID {
	last := len(id) - 1
	return id[:last] + app.DocumentID(id[last]-1) + "\U0010ffff"
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
