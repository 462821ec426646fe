package circuit

import (
	"context"
	"log/slog"

	"tenantry/app"
)

type cluster struct {
	*Circuit
	inner app.Cluster
}

// Cluster puts a circuit around a cluster, whose name is name. Closing what it
// returns closes both.
func Cluster(inner app.Cluster, name string, log *slog.Logger) (app.Cluster, *Circuit) {
	c := &cluster{Circuit: newCircuit(`cluster "`+name+`"`, log, inner.Health), inner: inner}
	return c, c.Circuit
}

// Close ends the asking and closes the cluster.
func (c *cluster) Close() error {
	c.close()
	return c.inner.Close()
}

// Health is the circuit's word while it is open, else the cluster's.
func (c *cluster) Health(ctx context.Context) error {
	return c.do(func() error { return c.inner.Health(ctx) })
}

// What follows is app.Cluster's.

func (c *cluster) Locate(org app.OrganizationID, slug string, isolation app.Isolation) (app.Placement, error) {
	return c.inner.Locate(org, slug, isolation) // asks nobody
}

func (c *cluster) Provision(ctx context.Context, ns app.Namespace) error {
	return c.do(func() error { return c.inner.Provision(ctx, ns) })
}

func (c *cluster) Rename(ctx context.Context, ns app.Namespace, collection string, generation int64) error {
	return c.do(func() error { return c.inner.Rename(ctx, ns, collection, generation) })
}

func (c *cluster) Drop(ctx context.Context, ns app.Namespace) error {
	return c.do(func() error { return c.inner.Drop(ctx, ns) })
}

func (c *cluster) Stats(ctx context.Context, ns app.Namespace) (app.NamespaceStats, error) {
	return get(c.Circuit, func() (app.NamespaceStats, error) { return c.inner.Stats(ctx, ns) })
}

func (c *cluster) Namespaces(ctx context.Context) ([]app.Namespace, error) {
	return get(c.Circuit, func() ([]app.Namespace, error) { return c.inner.Namespaces(ctx) })
}

func (c *cluster) Usage(ctx context.Context) (app.ClusterUsage, error) {
	return get(c.Circuit, func() (app.ClusterUsage, error) { return c.inner.Usage(ctx) })
}

func (c *cluster) Room(ctx context.Context) (app.Room, error) {
	return get(c.Circuit, func() (app.Room, error) { return c.inner.Room(ctx) })
}

func (c *cluster) InsertDocument(ctx context.Context, ns app.Namespace, d app.Document) error {
	return c.do(func() error { return c.inner.InsertDocument(ctx, ns, d) })
}

func (c *cluster) Document(ctx context.Context, ns app.Namespace, id app.DocumentID) (app.Document, error) {
	return get(c.Circuit, func() (app.Document, error) { return c.inner.Document(ctx, ns, id) })
}

func (c *cluster) UpdateDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64, f func(*app.Document) error) (app.Document, error) {
	return get(c.Circuit, func() (app.Document, error) { return c.inner.UpdateDocument(ctx, ns, id, expected, f) })
}

func (c *cluster) ReplaceDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64, r app.Replacement) (app.Document, error) {
	return get(c.Circuit, func() (app.Document, error) { return c.inner.ReplaceDocument(ctx, ns, id, expected, r) })
}

func (c *cluster) DeleteDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64) error {
	return c.do(func() error { return c.inner.DeleteDocument(ctx, ns, id, expected) })
}

func (c *cluster) ListDocuments(ctx context.Context, ns app.Namespace, q app.DocumentQuery) ([]app.Document, error) {
	return get(c.Circuit, func() ([]app.Document, error) { return c.inner.ListDocuments(ctx, ns, q) })
}
