package tenancy

import (
	"context"
	"fmt"
	"maps"

	"tenantry/app"
	"tenantry/app/journal"
)

// UpdateInput is a change of an organization; nil leaves as it is.
type UpdateInput struct {
	// IfRevision is the revision that must be there, or app.AnyRevision.
	IfRevision int64
	Name       *string
	// Slug: without one, the slug follows the name if it was made from the name.
	Slug       *string
	ExternalID *string // empty: taken away
	// Metadata is merged: a nil value removes the key.
	Metadata map[string]*string
	// ClearMetadata removes every key first.
	ClearMetadata bool
	// Email and Password are new credentials of the user who asks, or of the
	// first owner when an operator asks. A new password ends all sessions; the
	// present one given again changes nothing.
	Email    *string
	Password *string
}

// Update applies the whole change or nothing of it. A new slug renames the
// collection, and the documents follow.
func (s *Service) Update(ctx context.Context, actor app.Actor, ref string, in UpdateInput) (app.Organization, error) {
	var password newPassword
	for {
		org, err := s.Resolve(ctx, actor, ref, app.UpdateOrganization)
		if err != nil {
			return app.Organization{}, err
		}
		changed, err := s.updateOnce(ctx, actor, org, in, &password)
		if err == nil {
			return changed, nil
		}
		if s.outOfDate(ctx, org, in.IfRevision, err) {
			// A change must meet the state that it was made from, and who named no
			// revision is not to be bothered with it. Each time it is somebody
			// else's change that went through, so this ends, or the request's
			// deadline does it. The caller's own reference may be a slug that is
			// going away.
			ref = string(org.ID)
			continue
		}
		again, err := s.madeWay(ctx, org.ID, err)
		if again {
			ref = string(org.ID)
			continue
		}
		return app.Organization{}, fmt.Errorf("update organization: %w", stale(taken(err)))
	}
}

func (s *Service) updateOnce(ctx context.Context, actor app.Actor, org app.Organization, in UpdateInput, password *newPassword) (app.Organization, error) {
	change, err := s.composeChange(ctx, actor, org, in, password)
	if err != nil {
		return app.Organization{}, err
	}
	if change.Slug == nil {
		return s.registry.ChangeOrganization(ctx, change)
	}
	var renamed app.Organization
	plan := s.renamePlan(&renamed)
	op := s.newOperation(plan.Kind, org, change.At)
	op.Change = &change
	err = s.runner.Run(ctx, plan, op, func(ctx context.Context) error {
		return s.registry.BeginRename(ctx, op)
	})
	if err != nil {
		return app.Organization{}, err
	}
	return s.finished(ctx, renamed, org.ID)
}

func (s *Service) renamePlan(renamed *app.Organization) journal.Plan {
	return journal.Plan{
		Kind:        app.OperationRename,
		Interrupted: journal.Forward,
		Steps: []journal.Step{
			{Name: "reserve", Undo: func(ctx context.Context, op app.Operation) error {
				return s.registry.AbandonRename(ctx, op, op.Error, s.clock())
			}},
			{
				Name: "collection",
				Do: func(ctx context.Context, op app.Operation) error {
					return s.renameCollection(ctx, op, *op.Change.Collection, op.Placement.Generation+1)
				},
				Undo: func(ctx context.Context, op app.Operation) error {
					return s.renameCollection(ctx, op, op.Placement.Collection, op.Placement.Generation)
				},
			},
			{Name: "apply", Do: func(ctx context.Context, op app.Operation) error {
				org, err := s.registry.FinishRename(ctx, op, s.clock())
				if err == nil && renamed != nil {
					*renamed = org
				}
				return err
			}},
		},
	}
}

func (s *Service) renameCollection(ctx context.Context, op app.Operation, collection string, generation int64) error {
	cluster, err := s.cluster(ctx, op.Placement.Cluster)
	if err != nil {
		return err
	}
	ns := app.Namespace{Organization: op.OrganizationID, Placement: op.Placement}
	return cluster.Rename(ctx, ns, collection, generation)
}

// composeChange checks everything before anything is applied, the email's
// being free included; the registry checks that again where it counts.
func (s *Service) composeChange(ctx context.Context, actor app.Actor, org app.Organization, in UpdateInput, password *newPassword) (app.OrganizationChange, error) {
	change := app.OrganizationChange{OrganizationID: org.ID, IfRevision: in.IfRevision, ExternalID: in.ExternalID}
	if change.IfRevision == app.AnyRevision {
		// What follows is made from this state: merged metadata, a slug that
		// follows the name, and where a rename goes back to when it is undone.
		change.IfRevision = org.Revision
	}
	var fields app.FieldErrors
	name, slug, err := newNames(org, in)
	if err := collect(&fields, err); err != nil {
		return change, err
	}
	if in.Name != nil && name != org.Name {
		key := FoldName(name)
		change.Name, change.NameKey = &name, &key
	}
	if slug != org.Slug {
		collection := app.CollectionIn(org.Placement.Isolation, slug)
		change.Slug, change.Collection = &slug, &collection
	}
	if in.ExternalID != nil {
		if err := collect(&fields, CheckExternalID(*in.ExternalID)); err != nil {
			return change, err
		}
	}
	if in.ClearMetadata || in.Metadata != nil {
		change.Metadata = mergeMetadata(org.Metadata, in)
		if err := collect(&fields, checkMetadata(change.Metadata)); err != nil {
			return change, err
		}
	}
	if in.Email != nil || in.Password != nil {
		change.User, err = s.credentialChange(ctx, actor, org, in, name, slug)
		if err := collect(&fields, err); err != nil {
			return change, err
		}
	}
	if err := orNil(fields); err != nil {
		return change, err
	}
	if change.User != nil && in.Password != nil {
		if err := s.setPassword(ctx, change.User, *in.Password, password); err != nil {
			return change, err
		}
	}
	change.At = app.Later(s.clock(), org.UpdatedAt)
	return change, nil
}

// newPassword remembers, from one try of an update to the next, what it cost a
// hashing to find out.
type newPassword struct {
	comparedTo string // the hash that same is about
	same       bool
	hash       *string
}

// setPassword makes the password part of the change, unless it is the present
// one: clients of the first system send it along with whatever they change,
// and a password that stays is no reason to end sessions.
func (s *Service) setPassword(ctx context.Context, change *app.CredentialChange, password string, known *newPassword) error {
	user, err := s.registry.User(ctx, change.UserID)
	if err != nil {
		return err
	}
	if known.comparedTo != user.PasswordHash {
		if known.same, err = s.credentials.IsPassword(ctx, user.PasswordHash, password); err != nil {
			return err
		}
		known.comparedTo = user.PasswordHash
	}
	if known.same {
		return nil
	}
	if known.hash == nil {
		hash, err := s.credentials.HashPassword(ctx, password)
		if err != nil {
			return err
		}
		known.hash = &hash
	}
	change.PasswordHash = known.hash
	return nil
}

// newNames gives the names after the change, and the present one in place of
// each that is refused.
func newNames(org app.Organization, in UpdateInput) (name, slug string, err error) {
	name, slug = org.Name, org.Slug
	var fields app.FieldErrors
	if in.Name != nil {
		parsed, err := ParseName(*in.Name)
		if err := collect(&fields, err); err != nil {
			return name, slug, err
		}
		if err == nil {
			name = parsed
		}
	}
	chosen := slug
	switch {
	case in.Slug != nil:
		chosen, err = ParseSlug(*in.Slug)
	case in.Name != nil && name != org.Name:
		if derived, _ := Slugify(org.Name); derived == org.Slug {
			chosen, err = Slugify(name)
		}
	}
	if err := collect(&fields, err); err != nil {
		return name, slug, err
	}
	if err == nil {
		slug = chosen
	}
	return name, slug, orNil(fields)
}

func mergeMetadata(old map[string]string, in UpdateInput) map[string]string {
	merged := map[string]string{}
	if !in.ClearMetadata {
		maps.Copy(merged, old)
	}
	for k, v := range in.Metadata {
		if v == nil {
			delete(merged, k)
		} else {
			merged[k] = *v
		}
	}
	return merged
}

func (s *Service) credentialChange(ctx context.Context, actor app.Actor, org app.Organization, in UpdateInput, name, slug string) (*app.CredentialChange, error) {
	change := &app.CredentialChange{UserID: actor.UserID}
	if actor.Operator() {
		change.UserID = org.OwnerID
	}
	user, err := s.registry.User(ctx, change.UserID)
	if err != nil {
		return nil, err
	}
	var fields app.FieldErrors
	emailKey := user.EmailKey
	if in.Email != nil {
		email, key, err := s.credentials.ParseEmail(*in.Email)
		if err := collect(&fields, err); err != nil {
			return nil, err
		}
		if err == nil {
			emailKey = key
			if err := s.emailFree(ctx, key, user.ID); err != nil {
				return nil, err
			}
			change.Email, change.EmailKey = &email, &key
		}
	}
	if in.Password != nil {
		if err := collect(&fields, s.credentials.CheckPassword(*in.Password, emailKey, name, slug)); err != nil {
			return nil, err
		}
	}
	return change, orNil(fields)
}
