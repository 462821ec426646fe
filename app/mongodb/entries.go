package mongodb

import (
	"context"
	"fmt"
	"math/rand/v2"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// entryKind is how the entries of a noun are kept.
type entryKind struct {
	collection string
	// only are the documents of the collection that are entries.
	only bson.D
	// read gives what is in a page of documents, and the last one's id; written
	// makes documents of entries, and the claims that follow from them.
	read    func(ctx context.Context, r *Registry, filter bson.D, limit int) (entries []app.RegistryEntry, n int, last string, err error)
	written func(e app.RegistryEntry) (doc any, claimed []*claimDoc, err error)
}

// kind describes a collection of documents D that are entries of V.
func kind[V any, D any, P interface {
	*D
	stored
}](collection string, only bson.D, value func(D) (V, error), doc func(V) (P, []*claimDoc, error)) entryKind {
	return entryKind{
		collection: collection, only: only,
		read: func(ctx context.Context, r *Registry, filter bson.D, limit int) ([]app.RegistryEntry, int, string, error) {
			docs, err := page[D](ctx, r, collection, filter, limit)
			if err != nil || len(docs) == 0 {
				return nil, 0, "", err
			}
			entries := make([]app.RegistryEntry, len(docs))
			for i := range docs {
				v, err := value(docs[i])
				if err != nil {
					return nil, 0, "", err
				}
				if entries[i], err = app.Entry(P(&docs[i]).head().ID, v); err != nil {
					return nil, 0, "", err
				}
			}
			return entries, len(docs), entries[len(docs)-1].Key, nil
		},
		written: func(e app.RegistryEntry) (any, []*claimDoc, error) {
			v, err := app.EntryValue[V](e)
			if err != nil {
				return nil, nil, err
			}
			d, claimed, err := doc(v)
			if err != nil {
				return nil, nil, err
			}
			d.head().Version = newVersion()
			return d, claimed, nil
		},
	}
}

// page reads documents in order of their ids.
func page[D any](ctx context.Context, r *Registry, collection string, filter bson.D, limit int) ([]D, error) {
	return find[D](ctx, r, collection, filter, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(int64(limit)))
}

// newVersion is one that no document had; negative, so that it is none of those
// that lock.go counts.
func newVersion() int64 { return -1 - rand.Int64N(1<<62) } //nolint:gosec // no secret

// infallible is a conversion that always succeeds.
func infallible[A, B any](f func(A) B) func(A) (B, error) {
	return func(a A) (B, error) { return f(a), nil }
}

// alone is a document from which no claims follow.
func alone[V, P any](f func(V) P) func(V) (P, []*claimDoc, error) {
	return func(v V) (P, []*claimDoc, error) { return f(v), nil, nil }
}

var entryKinds = map[app.RegistryNoun]entryKind{
	app.NounUsers:       kind(users, nil, infallible(userDoc.user), alone(userDocOf)),
	app.NounMemberships: kind(memberships, nil, infallible(membershipDoc.membership), alone(membershipDocOf)),
	app.NounClaims: kind(claims, bson.D{{Key: "kind", Value: bson.D{{Key: "$in", Value: []string{claimEmail, claimExternalID, claimSlug}}}}},
		infallible(func(d claimDoc) app.Claim { return app.Claim{Kind: d.Kind, Value: d.Value, Owner: d.Owner} }),
		alone(func(k app.Claim) *claimDoc { return claimDocOf(k.Kind, k.Value, k.Owner) })),
	app.NounRepetitions: kind(repetitions, nil, repetitionDoc.repetition, func(r app.Repetition) (*repetitionDoc, []*claimDoc, error) {
		d, err := repetitionDocOf(r)
		return d, nil, err
	}),
	app.NounSigningKeys: kind(signingKeys, nil, infallible(signingKeyDoc.key), alone(signingKeyDocOf)),
	app.NounAddedClusters: kind(addedClusters, nil, infallible(addedClusterDoc.cluster),
		func(k app.AddedCluster) (*addedClusterDoc, []*claimDoc, error) {
			if c := placeClaim(k); c != nil {
				return addedClusterDocOf(k), []*claimDoc{c}, nil
			}
			return addedClusterDocOf(k), nil, nil
		}),

	app.NounOrganizations: kind(organizations, nil, infallible(organizationDoc.organization),
		func(o app.Organization) (*organizationDoc, []*claimDoc, error) {
			d := organizationDocOf(o, organizationHead{})
			return d, collectionClaims(o.Placement, string(o.ID)), nil
		}),
	app.NounOperations: kind(operations, nil, operationDoc.operation,
		func(op app.Operation) (*operationDoc, []*claimDoc, error) {
			d, err := operationDocOf(op)
			if err != nil || !op.State.Open() || op.Change == nil || op.Change.Collection == nil {
				return d, nil, err
			}
			// A rename that is under way holds its new collection, too.
			p := op.Placement
			p.Collection = *op.Change.Collection
			return d, collectionClaims(p, string(op.OrganizationID)), nil
		}),
	app.NounOperatorKeys: kind(operatorKeys, nil, infallible(operatorKeyDoc.key),
		func(k app.OperatorKey) (*operatorKeyDoc, []*claimDoc, error) {
			claimed := []*claimDoc{{Header: Header{ID: claimOperator}, Kind: claimOperator}}
			if k.RevokedAt.IsZero() {
				claimed = append(claimed, claimDocOf(claimOperatorKey, k.Name, string(k.ID)))
			}
			return operatorKeyDocOf(k), claimed, nil
		}),
	app.NounSessions: {collection: sessions, read: readSessions, written: func(e app.RegistryEntry) (any, []*claimDoc, error) {
		s, err := app.EntryValue[app.Session](e)
		return sessionDocOf(s, app.Proof{}), nil, err
	}},
}

func claimDocOf(kind, value, owner string) *claimDoc {
	return &claimDoc{Header: Header{ID: claimID(kind, value)}, Kind: kind, Value: value, Owner: owner}
}

// collectionClaims are those of who lives at a place.
func collectionClaims(p app.Placement, owner string) []*claimDoc {
	if p.Isolation != app.IsolationCollection {
		return nil
	}
	return []*claimDoc{claimDocOf(claimCollection, collectionClaim(p), owner)}
}

// readSessions reads those that count. Where they go to, all users and
// organizations begin with the first epoch.
func readSessions(ctx context.Context, r *Registry, filter bson.D, limit int) ([]app.RegistryEntry, int, string, error) {
	docs, err := page[sessionDoc](ctx, r, sessions, filter, limit)
	if err != nil || len(docs) == 0 {
		return nil, 0, "", err
	}
	var userIDs, orgIDs, memberIDs []string
	for _, d := range docs {
		userIDs, orgIDs, memberIDs = append(userIDs, d.UserID), append(orgIDs, d.OrganizationID), append(memberIDs, d.membership())
	}
	theirs, err := these[userDoc](ctx, r, users, userIDs)
	if err != nil {
		return nil, 0, "", err
	}
	orgs, err := these[organizationDoc](ctx, r, organizations, orgIDs)
	if err != nil {
		return nil, 0, "", err
	}
	members, err := these[membershipDoc](ctx, r, memberships, memberIDs)
	if err != nil {
		return nil, 0, "", err
	}
	var entries []app.RegistryEntry
	for _, d := range docs {
		user, org := theirs[d.UserID], orgs[d.OrganizationID]
		if user == nil || org == nil || members[d.membership()] == nil || !d.counts(user, org) {
			continue
		}
		e, err := app.Entry(d.ID, d.session())
		if err != nil {
			return nil, 0, "", err
		}
		entries = append(entries, e)
	}
	return entries, len(docs), docs[len(docs)-1].ID, nil
}

// these is byIDs, by their ids.
func these[D any, P interface {
	*D
	stored
}](ctx context.Context, r *Registry, collection string, ids []string) (map[string]P, error) {
	docs, err := byIDs[D](ctx, r, collection, ids...)
	found := make(map[string]P, len(docs))
	for i := range docs {
		found[P(&docs[i]).head().ID] = &docs[i]
	}
	return found, err
}

// ExportEntries is as app.MovableRegistry says.
func (r *Registry) ExportEntries(ctx context.Context, noun app.RegistryNoun, after string, limit int) (app.RegistryPage, error) {
	k, known := entryKinds[noun]
	if !known {
		return app.RegistryPage{}, fmt.Errorf("entries of %q: %w", noun, app.ErrInvalid)
	}
	filter := append(bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: after}}}, present}, k.only...)
	entries, n, last, err := k.read(ctx, r, filter, limit)
	if err != nil {
		return app.RegistryPage{}, r.translate(err)
	}
	p := app.RegistryPage{After: after, Entries: entries}
	if n == limit {
		p.Through = last
	}
	return p, nil
}

// ImportEntries is as app.MovableRegistry says.
func (r *Registry) ImportEntries(ctx context.Context, noun app.RegistryNoun, page app.RegistryPage) error {
	k, known := entryKinds[noun]
	if !known {
		return fmt.Errorf("entries of %q: %w", noun, app.ErrInvalid)
	}
	docs := make([]any, len(page.Entries))
	var claimed []*claimDoc
	for i, e := range page.Entries {
		doc, more, err := k.written(e)
		if err != nil {
			return err
		}
		docs[i], claimed = doc, append(claimed, more...)
	}
	between := bson.D{{Key: "$gt", Value: page.After}}
	if !page.Last() {
		between = append(between, bson.E{Key: "$lte", Value: page.Through})
	}
	if _, err := r.db.Collection(k.collection).DeleteMany(ctx, append(bson.D{{Key: "_id", Value: between}}, k.only...)); err != nil {
		return r.translate(err)
	}
	if len(docs) > 0 {
		if _, err := r.db.Collection(k.collection).InsertMany(ctx, docs); err != nil {
			return fmt.Errorf("%s: %w", noun, r.translate(err))
		}
	}
	return r.importClaims(ctx, claimed)
}

// importClaims takes the names that follow from entries. Their owners may have
// them already.
func (r *Registry) importClaims(ctx context.Context, claimed []*claimDoc) error {
	if len(claimed) == 0 {
		return nil
	}
	ids := make([]string, len(claimed))
	for i, d := range claimed {
		ids[i] = d.ID
	}
	there, err := these[claimDoc](ctx, r, claims, ids)
	if err != nil {
		return r.translate(err)
	}
	var docs []any
	for _, d := range claimed {
		if now := there[d.ID]; now == nil {
			d.Version = newVersion()
			docs, there[d.ID] = append(docs, d), d
		} else if now.Owner != d.Owner && d.Kind != claimOperator {
			return fmt.Errorf("%s is claimed by %s and by %s: %w", d.ID, now.Owner, d.Owner, app.ErrConflict)
		}
	}
	if len(docs) == 0 {
		return nil
	}
	_, err = r.db.Collection(claims).InsertMany(ctx, docs)
	return r.translate(err)
}
