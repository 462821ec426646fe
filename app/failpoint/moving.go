//go:build failpoint

package failpoint

import (
	"context"
	"time"

	"tenantry/app"
)

func (r registry) BeginRelocation(ctx context.Context, op app.Operation) error {
	return r.p.write(ctx, "BeginRelocation", func(ctx context.Context) error { return r.Registry.BeginRelocation(ctx, op) })
}

func (r registry) NoteRelocation(ctx context.Context, op app.Operation, from int64, at time.Time) (now app.Operation, err error) {
	err = r.p.write(ctx, "NoteRelocation", func(ctx context.Context) error {
		now, err = r.Registry.NoteRelocation(ctx, op, from, at)
		return err
	})
	return now, err
}

func (r registry) FlipRelocation(ctx context.Context, op app.Operation, at time.Time) (app.Organization, error) {
	return r.organization(ctx, "FlipRelocation", func(ctx context.Context) (app.Organization, error) {
		return r.Registry.FlipRelocation(ctx, op, at)
	})
}

func (r registry) EndRelocation(ctx context.Context, op app.Operation, state app.OperationState, reason string, at time.Time) error {
	return r.p.write(ctx, "EndRelocation", func(ctx context.Context) error { return r.Registry.EndRelocation(ctx, op, state, reason, at) })
}

func (c cluster) Receive(ctx context.Context, ns app.Namespace) error {
	return c.p.write(ctx, "Receive", func(ctx context.Context) error { return c.Cluster.Receive(ctx, ns) })
}

func (c cluster) SetPhase(ctx context.Context, ns app.Namespace, phase app.NamespacePhase) error {
	return c.p.write(ctx, "SetPhase", func(ctx context.Context) error { return c.Cluster.SetPhase(ctx, ns, phase) })
}

func (c cluster) Fill(ctx context.Context, ns app.Namespace, documents []app.Document) error {
	return c.p.write(ctx, "Fill", func(ctx context.Context) error { return c.Cluster.Fill(ctx, ns, documents) })
}

func (c cluster) Import(ctx context.Context, ns app.Namespace, documents []app.Document, gone []app.DocumentID) error {
	return c.p.write(ctx, "Import", func(ctx context.Context) error { return c.Cluster.Import(ctx, ns, documents, gone) })
}

func (c cluster) Settle(ctx context.Context, ns app.Namespace, changes []app.Change) error {
	return c.p.write(ctx, "Settle", func(ctx context.Context) error { return c.Cluster.Settle(ctx, ns, changes) })
}
