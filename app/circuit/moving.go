package circuit

import (
	"context"

	"tenantry/app"
)

// What follows is app.Moving's.

func (c *cluster) Receive(ctx context.Context, ns app.Namespace) error {
	return c.do(func() error { return c.inner.Receive(ctx, ns) })
}

func (c *cluster) SetPhase(ctx context.Context, ns app.Namespace, phase app.NamespacePhase) error {
	return c.do(func() error { return c.inner.SetPhase(ctx, ns, phase) })
}

func (c *cluster) Phase(ctx context.Context, ns app.Namespace) (phase app.NamespacePhase, generation int64, err error) {
	err = c.do(func() (err error) {
		phase, generation, err = c.inner.Phase(ctx, ns)
		return err
	})
	return phase, generation, err
}

func (c *cluster) Scan(ctx context.Context, ns app.Namespace, q app.DocumentQuery) ([]app.Document, error) {
	return get(c.Circuit, func() ([]app.Document, error) { return c.inner.Scan(ctx, ns, q) })
}

func (c *cluster) Look(ctx context.Context, ns app.Namespace, ids []app.DocumentID, maxBytes int) ([]app.Sight, error) {
	return get(c.Circuit, func() ([]app.Sight, error) { return c.inner.Look(ctx, ns, ids, maxBytes) })
}

func (c *cluster) Fill(ctx context.Context, ns app.Namespace, documents []app.Document) error {
	return c.do(func() error { return c.inner.Fill(ctx, ns, documents) })
}

func (c *cluster) Import(ctx context.Context, ns app.Namespace, documents []app.Document, gone []app.DocumentID) error {
	return c.do(func() error { return c.inner.Import(ctx, ns, documents, gone) })
}

func (c *cluster) Changes(ctx context.Context, ns app.Namespace, limit, maxBytes int) ([]app.Change, error) {
	return get(c.Circuit, func() ([]app.Change, error) { return c.inner.Changes(ctx, ns, limit, maxBytes) })
}

func (c *cluster) Settle(ctx context.Context, ns app.Namespace, changes []app.Change) error {
	return c.do(func() error { return c.inner.Settle(ctx, ns, changes) })
}

func (c *cluster) CountChanges(ctx context.Context, ns app.Namespace, limit int) (int, error) {
	return get(c.Circuit, func() (int, error) { return c.inner.CountChanges(ctx, ns, limit) })
}
