package mongodb

import (
	"context"

	"tenantry/app"
)

// owned is a cluster of whose commands the monitor knows whose acts they are of.
// Provision, Receive and Rename are not among them: they take documents that
// others have left there to whom they belong.
type owned struct{ *Cluster }

type ownerKey struct{}

func of(ctx context.Context, ns app.Namespace) context.Context {
	return context.WithValue(ctx, ownerKey{}, string(ns.Organization))
}

func ownerOf(ctx context.Context) string {
	owner, _ := ctx.Value(ownerKey{}).(string)
	return owner
}

func (o owned) InsertDocument(ctx context.Context, ns app.Namespace, d app.Document) error {
	return o.Cluster.InsertDocument(of(ctx, ns), ns, d)
}

func (o owned) Document(ctx context.Context, ns app.Namespace, id app.DocumentID) (app.Document, error) {
	return o.Cluster.Document(of(ctx, ns), ns, id)
}

func (o owned) UpdateDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64, f func(*app.Document) error) (app.Document, error) {
	return o.Cluster.UpdateDocument(of(ctx, ns), ns, id, expected, f)
}

func (o owned) ReplaceDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64, r app.Replacement) (app.Document, error) {
	return o.Cluster.ReplaceDocument(of(ctx, ns), ns, id, expected, r)
}

func (o owned) DeleteDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64) error {
	return o.Cluster.DeleteDocument(of(ctx, ns), ns, id, expected)
}

func (o owned) ListDocuments(ctx context.Context, ns app.Namespace, q app.DocumentQuery) ([]app.Document, error) {
	return o.Cluster.ListDocuments(of(ctx, ns), ns, q)
}

func (o owned) Drop(ctx context.Context, ns app.Namespace) error {
	return o.Cluster.Drop(of(ctx, ns), ns)
}

func (o owned) Stats(ctx context.Context, ns app.Namespace) (app.NamespaceStats, error) {
	return o.Cluster.Stats(of(ctx, ns), ns)
}

func (o owned) SetPhase(ctx context.Context, ns app.Namespace, phase app.NamespacePhase) error {
	return o.Cluster.SetPhase(of(ctx, ns), ns, phase)
}

func (o owned) Scan(ctx context.Context, ns app.Namespace, q app.DocumentQuery) ([]app.Document, error) {
	return o.Cluster.Scan(of(ctx, ns), ns, q)
}

func (o owned) Import(ctx context.Context, ns app.Namespace, documents []app.Document, gone []app.DocumentID) error {
	return o.Cluster.Import(of(ctx, ns), ns, documents, gone)
}

func (o owned) Changes(ctx context.Context, ns app.Namespace, limit, maxBytes int) ([]app.Change, error) {
	return o.Cluster.Changes(of(ctx, ns), ns, limit, maxBytes)
}

func (o owned) Settle(ctx context.Context, ns app.Namespace, changes []app.Change) error {
	return o.Cluster.Settle(of(ctx, ns), ns, changes)
}

func (o owned) CountChanges(ctx context.Context, ns app.Namespace, limit int) (int, error) {
	return o.Cluster.CountChanges(of(ctx, ns), ns, limit)
}
