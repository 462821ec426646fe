package tenancy

import (
	"context"
	"fmt"

	"tenantry/app"
)

// counted is what a budget is counted by.
type counted interface {
	app.Organizations
	ListOperations(ctx context.Context, q app.OperationQuery) ([]app.Operation, error)
}

// heldByMoves counts the namespaces of a cluster that organizations have beside
// the one that the registry places them in: where they are being moved to, and
// where they came from until that is dropped.
func (t *tallies) heldByMoves(ctx context.Context, cluster string) (int64, error) {
	var held int64
	err := eachRelocation(ctx, t.registry, func(op app.Operation) {
		if p, is := besides(op); is && p.Cluster == cluster && own(p.Isolation) {
			held++
		}
	})
	return held, err
}

// eachRelocation gives f those under way.
func eachRelocation(ctx context.Context, registry counted, f func(app.Operation)) error {
	q := app.OperationQuery{Kind: app.OperationRelocate, States: app.OpenStates(), Limit: MaxLimit}
	for {
		page, err := registry.ListOperations(ctx, q)
		if err != nil {
			return fmt.Errorf("list the relocations under way: %w", err)
		}
		for _, op := range page {
			f(op)
		}
		if len(page) < q.Limit {
			return nil
		}
		q.Before = page[len(page)-1].ID
	}
}

// besides is the place of an organization under way where it is not now.
func besides(op app.Operation) (app.Placement, bool) {
	switch r := op.Relocation; {
	case r == nil:
		return app.Placement{}, false
	case r.Place().Cluster == r.Target.Cluster && r.Place().Isolation == r.Target.Isolation && r.Place().Database == r.Target.Database:
		return r.Source, true
	default:
		return r.Target, true
	}
}
