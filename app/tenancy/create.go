package tenancy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tenantry/app"
	"tenantry/app/journal"
)

const retryChange = time.Second

// CreateInput is what a new organization is made of. Only Name is always
// required.
type CreateInput struct {
	Name       string
	Slug       string // empty: made from the name
	ExternalID string
	Metadata   map[string]string
	// Owner is the new user who owns it. Without one, the user who asks does.
	Owner *OwnerInput
	// Cluster and Isolation are for operators; empty: as configured.
	Cluster   string
	Isolation app.Isolation
	// IdempotencyKey makes the same request again, within a day, answer as the
	// first did; empty: none. Request is the request as it came, by which
	// another one under the same key is known.
	IdempotencyKey string
	Request        []byte
}

// OwnerInput is the user made together with an organization.
type OwnerInput struct {
	Email    string
	Password string
	Name     string
}

// Create makes an organization with its owner and the place of its data: all
// of it or, after any error but a lost connection, nothing.
func (s *Service) Create(ctx context.Context, actor app.Actor, in CreateInput) (app.Organization, error) {
	if !s.cfg.SignupOpen && !actor.Operator() {
		return app.Organization{}, app.Fail(app.ErrForbidden, "signup_closed",
			"Only the operator creates organizations on this server. Ask them.")
	}
	if (in.Cluster != "" || in.Isolation != "") && !actor.Operator() {
		return app.Organization{}, app.Fail(app.ErrForbidden, "operator_only",
			"Only an operator chooses where an organization's data lives. Leave out \"placement\".")
	}
	repetition, err := s.repetition(actor, in)
	if err != nil {
		return app.Organization{}, err
	}
	var creation app.Creation
	var password string
	if err = s.clusters.meet(ctx, in.Cluster); err == nil {
		creation, password, err = s.compose(actor, in)
	}
	if err != nil {
		return s.firstAnswer(ctx, repetition, err)
	}
	// Before a password is hashed for a request that is bound to fail.
	creation.Repetition = repetition.of(creation.Organization, s.clock())
	if refusal := s.registry.CheckCreate(ctx, creation, s.clock()); refusal != nil {
		if first, err := s.foreseen(ctx, repetition, refusal); first != nil || err != nil {
			return answerOf(first), err
		}
	}
	if creation.Owner != nil {
		if creation.Owner.PasswordHash, err = s.credentials.HashPassword(ctx, password); err != nil {
			return app.Organization{}, err
		}
	}
	// Hashing may have waited: the times are those of the act.
	at := s.clock()
	org := &creation.Organization
	org.CreatedAt, org.UpdatedAt, creation.Membership.CreatedAt = at, at, at
	if creation.Owner != nil {
		creation.Owner.CreatedAt, creation.Owner.UpdatedAt = at, at
	}
	w := s.wish(in.Metadata, in)
	for try := 1; ; try++ {
		made, err := s.createAt(ctx, creation, repetition, w)
		switch {
		case errors.Is(err, errLeft) && try < triesToPlace:
			if err := s.clusters.keeper.Refresh(ctx); err != nil {
				return app.Organization{}, err
			}
			continue
		case errors.Is(err, errLeft):
			return app.Organization{}, app.Unavailable("The cluster for this organization", err)
		case creation.Owner == nil && errors.Is(err, app.ErrNotFound):
			return app.Organization{}, app.Fail(app.ErrUnauthenticated, "session_ended", "Your user is gone. Sign in again.")
		case err != nil:
			return s.firstAnswer(ctx, repetition, fmt.Errorf("create organization: %w", taken(err)))
		}
		return s.finished(ctx, made, org.ID)
	}
}

// triesToPlace is how often a place is looked for, where clusters are closed
// that were chosen.
const triesToPlace = 3

// createAt makes the organization where there is room. errLeft: its cluster was
// closed meanwhile, and nothing was made.
func (s *Service) createAt(ctx context.Context, creation app.Creation, repetition *repetition, w wish) (made app.Organization, err error) {
	org := &creation.Organization
	placement, recorded, err := s.locate(ctx, *org, w)
	if err != nil {
		return made, err
	}
	defer recorded(false)
	org.Placement = placement
	creation.Repetition = repetition.of(*org, org.CreatedAt)
	plan := s.createPlan(&made)
	op := s.newOperation(plan.Kind, *org, org.CreatedAt)
	err = s.runner.Run(ctx, plan, op, func(ctx context.Context) error {
		if err := s.registry.BeginCreate(ctx, op, creation); err != nil {
			recorded(false)
			return err
		}
		err := s.admitted(ctx, placement.Cluster)
		recorded(err == nil)
		if err != nil {
			undoing, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
			defer cancel()
			// Where that is refused, whoever finds the operation undoes it.
			err = errors.Join(err, s.registry.AbandonCreate(undoing, op, err.Error(), s.clock()))
		}
		return err
	})
	return made, err
}

// undoTimeout bounds the undoing of what was only recorded.
const undoTimeout = 10 * time.Second

// finished gives what the last step of an operation answered or, where that
// answer was lost though the step was done, what the registry has.
func (s *Service) finished(ctx context.Context, answered app.Organization, id app.OrganizationID) (app.Organization, error) {
	if answered.ID != "" {
		return answered, nil
	}
	return s.registry.Organization(ctx, id)
}

func (s *Service) createPlan(made *app.Organization) journal.Plan {
	return journal.Plan{
		Kind:        app.OperationCreate,
		Interrupted: journal.Backward,
		Steps: []journal.Step{
			{Name: "record", Undo: func(ctx context.Context, op app.Operation) error {
				return s.registry.AbandonCreate(ctx, op, op.Error, s.clock())
			}},
			{Name: "provision", Do: s.provision, Undo: s.dropMade},
			{Name: "open", Do: func(ctx context.Context, op app.Operation) error {
				org, err := s.registry.FinishCreate(ctx, op, s.clock())
				if err == nil && made != nil {
					*made = org
				}
				return err
			}},
		},
	}
}

func (s *Service) provision(ctx context.Context, op app.Operation) error {
	cluster, err := s.cluster(ctx, op.Placement.Cluster)
	if err != nil {
		return err
	}
	return cluster.Provision(ctx, app.Namespace{Organization: op.OrganizationID, Placement: op.Placement})
}

func (s *Service) drop(ctx context.Context, op app.Operation) error {
	cluster, err := s.cluster(ctx, op.Placement.Cluster)
	if err != nil {
		return err
	}
	return cluster.Drop(ctx, app.Namespace{Organization: op.OrganizationID, Placement: op.Placement})
}

// dropMade is drop for what is not made after all. Where its cluster was removed
// meanwhile, nothing was made there.
func (s *Service) dropMade(ctx context.Context, op app.Operation) error {
	err := s.drop(ctx, op)
	if errors.Is(err, errNoCluster) {
		s.log.Warn("a creation is undone whose cluster is not there; should it come back, \"tenantry doctor\" shows what is left there",
			"operation_id", op.ID, "org_id", op.OrganizationID, "cluster", op.Placement.Cluster)
		return nil
	}
	return err
}

// compose checks the whole input, so that one answer names all that is wrong.
func (s *Service) compose(actor app.Actor, in CreateInput) (app.Creation, string, error) {
	var fields app.FieldErrors
	org := app.Organization{
		ID: app.NewID[app.OrganizationID](), ExternalID: in.ExternalID, Metadata: in.Metadata,
		State: app.StateCreating, Revision: 1,
	}
	name, err := ParseName(in.Name)
	if err := collect(&fields, err); err != nil {
		return app.Creation{}, "", err
	}
	org.Name, org.NameKey = name, FoldName(name)
	if err == nil && in.Slug == "" {
		org.Slug, err = Slugify(name)
	} else if in.Slug != "" {
		org.Slug, err = ParseSlug(in.Slug)
	} else {
		err = nil
	}
	for _, err := range []error{err, CheckExternalID(in.ExternalID), checkMetadata(in.Metadata)} {
		if err := collect(&fields, err); err != nil {
			return app.Creation{}, "", err
		}
	}
	creation := app.Creation{Membership: app.Membership{OrganizationID: org.ID, Role: app.RoleOwner}}
	var password string
	switch {
	case in.Owner != nil:
		owner, err := s.owner(*in.Owner, org)
		if err := collect(&fields, app.At("owner", err)); err != nil {
			return app.Creation{}, "", err
		}
		creation.Owner, creation.Membership.UserID, password = &owner, owner.ID, in.Owner.Password
	case actor.Kind == app.AsUser:
		creation.Membership.UserID = actor.UserID
	default:
		fields = append(fields, app.FieldError{Location: "owner", Code: "required",
			Message: "An owner is required: email and password of the user who will own the organization."})
	}
	if err := orNil(fields); err != nil {
		return app.Creation{}, "", err
	}
	org.OwnerID = creation.Membership.UserID
	creation.Organization = org
	return creation, password, s.checkWish(s.wish(in.Metadata, in))
}

func (s *Service) owner(in OwnerInput, org app.Organization) (app.User, error) {
	var fields app.FieldErrors
	email, key, err := s.credentials.ParseEmail(in.Email)
	if err := collect(&fields, err); err != nil {
		return app.User{}, err
	}
	if err := collect(&fields, s.credentials.CheckPassword(in.Password, key, org.Name, org.Slug)); err != nil {
		return app.User{}, err
	}
	name := in.Name
	if name != "" {
		name, err = ParseName(name)
		if err := collect(&fields, err); err != nil {
			return app.User{}, err
		}
	}
	return app.User{ID: app.NewID[app.UserID](), Email: email, EmailKey: key, Name: name, Revision: 1}, orNil(fields)
}

// emailFree refuses an address that somebody other than self has.
func (s *Service) emailFree(ctx context.Context, key string, self app.UserID) error {
	user, err := s.registry.UserByEmail(ctx, key)
	switch {
	case errors.Is(err, app.ErrNotFound) || err == nil && user.ID == self:
		return nil
	case err != nil:
		return err
	}
	return taken(app.Taken(app.ConflictEmail))
}

func (s *Service) newOperation(kind app.OperationKind, org app.Organization, at time.Time) app.Operation {
	return app.Operation{
		ID: app.NewID[app.OperationID](), Kind: kind, OrganizationID: org.ID,
		State: app.OperationRunning, Placement: org.Placement, Lease: s.runner.Lease(kind), CreatedAt: at, UpdatedAt: at,
	}
}
