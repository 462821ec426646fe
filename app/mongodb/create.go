package mongodb

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
)

// BeginCreate is as app.Lifecycle says.
func (r *Registry) BeginCreate(ctx context.Context, op app.Operation, n app.Creation) error {
	var kept begun
	err := r.change(ctx, func(ctx context.Context, u *unit) error {
		org, m := n.Organization, n.Membership
		if n.Repetition != nil { // first, for it is to be refused before any name
			if err := u.repeat(ctx, *n.Repetition, op.CreatedAt); err != nil {
				return err
			}
		}
		if err := u.claimOrganization(ctx, org); err != nil {
			return err
		}
		kept.organization = organizationDocOf(org, organizationHead{})
		u.put(organizations, kept.organization)
		if n.Owner != nil {
			if err := u.claim(ctx, claimEmail, n.Owner.EmailKey, string(n.Owner.ID), app.ConflictEmail); err != nil {
				return err
			}
			u.put(users, userDocOf(*n.Owner))
		} else {
			owner, err := u.user(ctx, m.UserID)
			if err != nil {
				return err
			}
			u.pin(users, owner) // whoever is removed at this moment is not made a member
		}
		u.put(memberships, membershipDocOf(m))
		u.announce(app.Invalidation{Organization: org.ID, User: m.UserID})
		d, err := operationDocOf(op)
		if err != nil {
			return err
		}
		kept.operation = d
		return u.record(ctx, d)
	})
	if err == nil {
		r.begun.put(op.ID, kept)
	}
	return err
}

// CheckCreate is as app.Lifecycle says.
func (r *Registry) CheckCreate(ctx context.Context, n app.Creation, t time.Time) error {
	org := n.Organization
	type name struct {
		id, owner string
		field     app.ConflictField
	}
	names := []name{
		{claimID(claimSlug, org.Slug), string(org.ID), app.ConflictSlug},
		{claimID(claimExternalID, org.ExternalID), string(org.ID), app.ConflictExternalID},
	}
	if org.Placement.Isolation == app.IsolationCollection {
		names = append(names, name{claimID(claimCollection, collectionClaim(org.Placement)), string(org.ID), app.ConflictCollection})
	}
	if n.Owner != nil {
		names = append(names, name{claimID(claimEmail, n.Owner.EmailKey), string(n.Owner.ID), app.ConflictEmail})
	}
	ids := make([]string, len(names))
	for i := range names {
		ids[i] = names[i].id
	}
	found, err := r.claimed(ctx, ids, n.Repetition, t)
	if err != nil {
		return r.translate(err)
	}
	owners := map[string]string{}
	for _, d := range found {
		if d.Kind == "" { // no claim: the repetition, which goes before any name
			return app.Taken(app.ConflictRepetition)
		}
		owners[d.ID] = d.Owner
	}
	for _, name := range names {
		if owner, taken := owners[name.id]; taken && owner != name.owner {
			return app.Taken(name.field)
		}
	}
	return nil
}

// claimed reads who has names; and, as a claim of no kind, whether a key is used
// already.
func (r *Registry) claimed(ctx context.Context, ids []string, repetition *app.Repetition, t time.Time) (found []claimDoc, err error) {
	if r.lacks.joins {
		return r.claimedApart(ctx, ids, repetition, t)
	}
	if ids == nil {
		ids = []string{}
	}
	pipeline := mongo.Pipeline{{{Key: "$match", Value: bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}, present}}}}
	if repetition != nil {
		pipeline = append(pipeline, bson.D{{Key: "$unionWith", Value: bson.D{{Key: "coll", Value: repetitions},
			{Key: "pipeline", Value: mongo.Pipeline{
				{{Key: "$match", Value: append(byID(repetition.Key), present, bson.E{Key: "expires_at", Value: bson.D{{Key: "$gt", Value: t}}})}},
				{{Key: "$unset", Value: "answer"}},
			}}}}})
	}
	cursor, err := r.db.Collection(claims).Aggregate(ctx, pipeline)
	if err == nil {
		err = cursor.All(ctx, &found)
	}
	return found, err
}

// begun is what a creation has written, with the versions that it got. It is
// finished an instant later, nearly always by the same server, and nearly
// always nothing has happened to it: writing on that condition tells as much
// as reading it first.
type begun struct {
	organization *organizationDoc
	operation    *operationDoc
}

// keptBegun is how many are remembered: those in progress at one time, and a
// few that came to nothing.
const keptBegun = 256

type begunCreations struct {
	mu sync.Mutex
	m  map[app.OperationID]begun
}

func (b *begunCreations) put(id app.OperationID, kept begun) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.m == nil || len(b.m) >= keptBegun {
		b.m = make(map[app.OperationID]begun)
	}
	b.m[id] = kept
}

// take gives what is remembered, once.
func (b *begunCreations) take(id app.OperationID) (begun, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept, ok := b.m[id]
	delete(b.m, id)
	return kept, ok
}

// claimOrganization takes an organization's names.
func (u *unit) claimOrganization(ctx context.Context, o app.Organization) error {
	if err := u.claim(ctx, claimSlug, o.Slug, string(o.ID), app.ConflictSlug); err != nil {
		return err
	}
	if o.ExternalID != "" {
		if err := u.claim(ctx, claimExternalID, o.ExternalID, string(o.ID), app.ConflictExternalID); err != nil {
			return err
		}
	}
	if o.Placement.Isolation != app.IsolationCollection {
		return nil
	}
	return u.claim(ctx, claimCollection, collectionClaim(o.Placement), string(o.ID), app.ConflictCollection)
}

// FinishCreate is as app.Lifecycle says.
func (r *Registry) FinishCreate(ctx context.Context, op app.Operation, t time.Time) (o app.Organization, err error) {
	err = r.change(ctx, func(ctx context.Context, u *unit) error {
		d, h, err := u.creating(ctx, op, &o)
		if err != nil {
			return err
		}
		if app.OperationState(d.State) != app.OperationRunning {
			return errEnded(d)
		}
		if o.State != app.StateCreating {
			return app.ErrNotFound
		}
		o.State = app.StateActive
		u.end(d, app.OperationCompleted, "", t)
		u.put(organizations, organizationDocOf(o, h))
		u.announce(app.Invalidation{Organization: o.ID})
		return nil
	})
	return o, err
}

// creating gives what BeginCreate wrote.
func (u *unit) creating(ctx context.Context, op app.Operation, o *app.Organization) (*operationDoc, organizationHead, error) {
	if kept, ok := u.r.begun.take(op.ID); ok && u.blind {
		*o = kept.organization.organization()
		return kept.operation, organizationHead{kept.organization.Header, kept.organization.Epoch}, nil
	}
	d, err := u.operation(ctx, op.ID)
	if err != nil {
		return nil, organizationHead{}, err
	}
	found, h, err := u.organization(ctx, op.OrganizationID)
	*o = found
	return d, h, err
}

// AbandonCreate is as app.Lifecycle says.
func (r *Registry) AbandonCreate(ctx context.Context, op app.Operation, reason string, t time.Time) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.operation(ctx, op.ID)
		if err != nil {
			return err
		}
		if open, err := d.undone(); !open {
			return err
		}
		repeated, err := find[repetitionDoc](ctx, r, repetitions, bson.D{{Key: "organization_id", Value: d.OrganizationID}})
		if err != nil {
			return err
		}
		for i := range repeated {
			u.remove(repetitions, &repeated[i])
		}
		if err := u.removeOrganization(ctx, op.OrganizationID); err != nil {
			return err
		}
		u.end(d, app.OperationState(d.State).Undone(), reason, t)
		return nil
	})
}

// removeOrganization removes it with its memberships, its names, and the users
// who are members of nothing else.
func (u *unit) removeOrganization(ctx context.Context, id app.OrganizationID) error {
	org := new(organizationDoc)
	there, err := u.get(ctx, organizations, string(id), org)
	if err != nil {
		return err
	}
	if there {
		u.remove(organizations, org)
	}
	u.announce(app.Invalidation{Organization: id})
	members, err := find[membershipDoc](ctx, u.r, memberships, bson.D{{Key: "organization_id", Value: string(id)}, present})
	if err != nil {
		return err
	}
	for i := range members {
		u.remove(memberships, &members[i])
		u.announce(app.Invalidation{Organization: id, User: app.UserID(members[i].UserID)})
		if err := u.removeUserOf(ctx, members[i]); err != nil {
			return err
		}
	}
	return u.release(ctx, string(id))
}

// removeUserOf removes the user of a membership, the last there is.
func (u *unit) removeUserOf(ctx context.Context, m membershipDoc) error {
	// The user first: whoever is made a member elsewhere after this is read has
	// another version then.
	user, err := u.user(ctx, app.UserID(m.UserID))
	if errors.Is(err, app.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	all, err := find[membershipDoc](ctx, u.r, memberships, bson.D{{Key: "user_id", Value: m.UserID}, present})
	if err != nil || len(all) > 1 {
		return err
	}
	u.remove(users, user)
	return u.release(ctx, m.UserID)
}
