package tenancy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"tenantry/app"
	"tenantry/app/journal"
	"tenantry/app/relocation"
)

// Registry is what organizations need of the registry.
type Registry interface {
	app.Organizations
	app.Lifecycle
	app.Relocations
	app.Repetitions
	app.Journal
	app.AddedClusters
	app.Drains
	// Trusted is as in app.Registry.
	Trusted() bool
	// Shared reports whether other servers work on it.
	Shared() bool
	User(ctx context.Context, id app.UserID) (app.User, error)
	UserByEmail(ctx context.Context, emailKey string) (app.User, error)
}

// Credentials is what organizations need of sign-in.
type Credentials interface {
	// ParseEmail gives an address as it is kept and as it is compared.
	ParseEmail(s string) (display, key string, err error)
	// CheckPassword says what is wrong with a new password. The other words are
	// what it must not be, such as the organization's name.
	CheckPassword(password string, contextual ...string) error
	// HashPassword hashes one that was checked; it may be refused with ErrLimit
	// or ErrUnavailable when too many wait.
	HashPassword(ctx context.Context, password string) (string, error)
	// IsPassword reports whether the password is that of the hash; refused
	// likewise.
	IsPassword(ctx context.Context, hash, password string) (bool, error)
}

// Config is what the operator decides about organizations.
type Config struct {
	// SignupOpen lets anybody create an organization.
	SignupOpen bool
	// Clusters and Isolation are those of new organizations: the least loaded of
	// the clusters.
	Clusters  []string
	Isolation app.Isolation
	// Rules go before them, in this order.
	Rules []Rule
	// DeletionRetention is how long a deleted organization can be restored; 0
	// removes its data at once.
	DeletionRetention time.Duration
	// OperationWait is how long a caller waits for the end of an operation
	// before it goes on without them (a journal.RunningError); 0 is until the end.
	OperationWait time.Duration
	// OperationLease is how long an operation may stand still before another server
	// takes it over; 0 is ten seconds.
	OperationLease time.Duration
	// ReconcileEvery is how often open operations are looked for; 0 is every two
	// seconds.
	ReconcileEvery time.Duration
	// Relocation is about moving organizations.
	Relocation relocation.Config
	// FingerprintKey makes the fingerprints of repeated requests, which hold
	// passwords, worthless to who reads the registry.
	FingerprintKey []byte
}

// placing names the clusters that new organizations may go to.
func (c Config) placing() []string {
	names := slices.Clone(c.Clusters)
	for _, r := range c.Rules {
		names = append(names, r.Clusters...)
	}
	return names
}

// Service does what can be done with organizations.
type Service struct {
	*Directory
	registry    Registry
	clusters    *Clusters
	tallies     *tallies
	credentials Credentials
	runner      *journal.Runner
	mover       *relocation.Mover
	cfg         Config
	clock       app.Clock
	log         *slog.Logger
}

const (
	operationLease = 10 * time.Second
	reconcileEvery = 2 * time.Second
)

// New makes the service. The clusters include those that cfg names.
func New(registry Registry, directory *Directory, clusters *Clusters,
	credentials Credentials, cfg Config, clock app.Clock, log *slog.Logger) (*Service, error) {
	for _, name := range cfg.placing() {
		if !clusters.known(name) {
			return nil, fmt.Errorf("new organizations would go to the cluster %q, and there is none", name)
		}
	}
	s := &Service{
		Directory: directory, registry: registry, clusters: clusters,
		credentials: credentials, cfg: cfg, clock: clock, log: log,
	}
	s.tallies = newTallies(registry, clusters, log)
	s.mover = relocation.New(registry, s.cluster, cfg.Relocation, clock, log).Admitting(s.admitted)
	s.runner = journal.NewRunner(registry, clock, log, cfg.OperationWait,
		s.createPlan(nil), s.renamePlan(nil), s.deletePlan(), s.relocatePlan(), s.drainPlan())
	if registry.Shared() {
		s.runner.Share(cmp.Or(cfg.OperationLease, operationLease))
	}
	return s, nil
}

// Recover ends every operation that a stopped server left open. Call it before
// serving; it returns how many it ended.
func (s *Service) Recover(ctx context.Context) (int, error) { return s.runner.Recover(ctx) }

// Reconcile recovers now and then until the context ends.
func (s *Service) Reconcile(ctx context.Context) {
	s.runner.Reconcile(ctx, cmp.Or(s.cfg.ReconcileEvery, reconcileEvery))
}

// Close waits for the operations that go on after their callers were answered.
func (s *Service) Close() { s.runner.Wait() }

// Get gives an organization to its members and to operators.
func (s *Service) Get(ctx context.Context, actor app.Actor, ref string) (app.Organization, error) {
	return s.Resolve(ctx, actor, ref, app.ReadOrganization)
}

// Lookup finds an organization by its display name, for anybody: the seed's
// GET /org/get. What it gives beyond the name is for the caller to hold back.
func (s *Service) Lookup(ctx context.Context, name string) (app.Organization, error) {
	name, err := ParseName(name)
	if err != nil {
		return app.Organization{}, err
	}
	slug, err := Slugify(name)
	if err != nil {
		// A reserved name is simply nobody's.
		return app.Organization{}, errUnknown()
	}
	return s.find(ctx, app.Actor{}, slug)
}

// OwnerEmail gives the address of the organization's first owner.
func (s *Service) OwnerEmail(ctx context.Context, org app.Organization) (string, error) {
	owner, err := s.registry.User(ctx, org.OwnerID)
	return owner.Email, err
}

// PlacementView is where an organization's data is, and how much.
type PlacementView struct {
	app.Placement
	app.NamespaceStats
}

// Placement gives it to owners, admins and operators.
func (s *Service) Placement(ctx context.Context, actor app.Actor, ref string) (PlacementView, error) {
	org, err := s.Resolve(ctx, actor, ref, app.ReadPlacement)
	if err != nil {
		return PlacementView{}, err
	}
	cluster, err := s.cluster(ctx, org.Placement.Cluster)
	if err != nil {
		return PlacementView{}, err
	}
	stats, err := cluster.Stats(ctx, namespace(org))
	if err != nil {
		return PlacementView{}, fmt.Errorf("measure organization %s: %w", org.ID, err)
	}
	return PlacementView{Placement: org.Placement, NamespaceStats: stats}, nil
}

// Located gives the cluster and namespace of an organization.
func (s *Service) Located(ctx context.Context, org app.Organization) (app.Cluster, app.Namespace, error) {
	cluster, err := s.cluster(ctx, org.Placement.Cluster)
	return cluster, namespace(org), err
}

func (s *Service) cluster(ctx context.Context, name string) (app.Cluster, error) {
	place, err := s.clusters.find(ctx, name, s.registry.Trusted())
	return place.Cluster, err
}

func namespace(org app.Organization) app.Namespace {
	return app.Namespace{Organization: org.ID, Placement: org.Placement}
}

// taken turns an engine's refusal into the sentence for a person.
func taken(err error) error {
	var t *app.TakenError
	if !errors.As(err, &t) {
		return err
	}
	switch t.Field {
	case app.ConflictSlug, app.ConflictCollection:
		return app.Fail(app.ErrConflict, "organization_name_taken",
			"An organization with this name, or one that differs only in case or punctuation, exists already. Choose another name.")
	case app.ConflictEmail:
		return app.Fail(app.ErrConflict, "email_taken",
			"This email address belongs to another user. Use another, or sign in with it.")
	case app.ConflictExternalID:
		return app.Fail(app.ErrConflict, "external_id_taken",
			"Another organization has this external id.")
	case app.ConflictOpenChange:
		return &app.Error{Kind: app.ErrConflict, Code: "change_in_progress", RetryAfter: retryChange,
			Detail: "Another change of this organization is under way. Try again in a second."}
	}
	return err
}
