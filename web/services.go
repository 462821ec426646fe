package web

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tenantry/app"
	"tenantry/app/documents"
	"tenantry/app/identity"
	"tenantry/app/relocation"
	"tenantry/app/tenancy"
)

// Services is what the server serves. Health and HashStats may be nil.
type Services struct {
	Tenancy   Tenancy
	Documents Documents
	Identity  Identity
	// Health asks every part that must work whether it does. It is asked at
	// most once a second, with a deadline.
	Health func(context.Context) []Check
	// Gauges are asked for at every scrape of the metrics. It may be nil.
	Gauges func(context.Context) []Gauge
	// Collectors are more of the metrics. Their names begin with "tenantry_",
	// and none of their labels names a tenant.
	Collectors []prometheus.Collector
	// HashStats gives the figures of the password threads.
	HashStats func() identity.HashStats
	// Version is the program's, as shown to callers.
	Version string
}

// Check is the state of one part of the server.
type Check struct {
	Name string
	// Err is nil where the part works. Of an app.Error the detail is shown to
	// callers, of anything else only that it is so.
	Err error
}

// Gauge is a figure that the server does not know itself.
type Gauge struct {
	Name string // without the prefix "tenantry_"
	Help string
	// Labels are fixed pairs, such as the name of a file. Never a tenant's.
	Labels map[string]string
	Value  float64
}

// Tenancy is what the routes need of organizations. tenancy.Service does it.
type Tenancy interface {
	Create(ctx context.Context, actor app.Actor, in tenancy.CreateInput) (app.Organization, error)
	Get(ctx context.Context, actor app.Actor, ref string) (app.Organization, error)
	Lookup(ctx context.Context, name string) (app.Organization, error)
	OwnerEmail(ctx context.Context, org app.Organization) (string, error)
	List(ctx context.Context, actor app.Actor, in tenancy.ListInput) (tenancy.ListPage, error)
	Update(ctx context.Context, actor app.Actor, ref string, in tenancy.UpdateInput) (app.Organization, error)
	Delete(ctx context.Context, actor app.Actor, ref string, ifRevision int64) (tenancy.Deletion, error)
	Restore(ctx context.Context, actor app.Actor, ref string) (app.Organization, error)
	Suspend(ctx context.Context, actor app.Actor, ref string) (app.Organization, error)
	Resume(ctx context.Context, actor app.Actor, ref string) (app.Organization, error)
	Placement(ctx context.Context, actor app.Actor, ref string) (tenancy.PlacementView, error)
	Operations(ctx context.Context, actor app.Actor, in tenancy.OperationsInput) (tenancy.OperationPage, error)
	Operation(ctx context.Context, actor app.Actor, id string) (tenancy.OperationView, error)
	RetryOperation(ctx context.Context, actor app.Actor, id string) (tenancy.OperationView, error)
	CancelOperation(ctx context.Context, actor app.Actor, id string) (tenancy.OperationView, error)
	CompleteOperation(ctx context.Context, actor app.Actor, id string) (tenancy.OperationView, error)
	RevertOperation(ctx context.Context, actor app.Actor, id string) (tenancy.OperationView, error)
	PlanRelocation(ctx context.Context, actor app.Actor, ref string, in tenancy.RelocateInput) (relocation.Plan, error)
	Relocate(ctx context.Context, actor app.Actor, ref string, in tenancy.RelocateInput) (tenancy.OperationView, error)
	Owner(ctx context.Context, actor app.Actor, ref string) (app.User, error)
	UpdateOwner(ctx context.Context, actor app.Actor, ref string, email, password *string) (app.User, error)
	Overview(ctx context.Context, actor app.Actor) (tenancy.Overview, error)
	Clusters(ctx context.Context, actor app.Actor) ([]tenancy.ClusterView, error)
	RemoveCluster(ctx context.Context, actor app.Actor, name string, dryRun bool) (tenancy.ClusterView, error)
	PlanDrain(ctx context.Context, actor app.Actor, name string, in tenancy.DrainInput) (tenancy.DrainPlan, error)
	DrainCluster(ctx context.Context, actor app.Actor, name string, in tenancy.DrainInput) (tenancy.OperationView, error)
	OpenCluster(ctx context.Context, actor app.Actor, name string) (tenancy.ClusterView, error)
	AddCluster(ctx context.Context, actor app.Actor, in tenancy.AddClusterInput, dryRun bool) (tenancy.ClusterView, error)
	Doctor(ctx context.Context, actor app.Actor, repair bool) ([]tenancy.Finding, error)
}

// Documents is what the routes need of documents. documents.Service does it.
type Documents interface {
	Create(ctx context.Context, actor app.Actor, org string, in documents.CreateInput) (app.Document, error)
	Get(ctx context.Context, actor app.Actor, org, id string) (app.Document, error)
	Put(ctx context.Context, actor app.Actor, org, id string, in documents.PutInput) (app.Document, error)
	Patch(ctx context.Context, actor app.Actor, org, id string, in documents.PatchInput) (app.Document, error)
	Delete(ctx context.Context, actor app.Actor, org, id string, ifRevision int64) error
	List(ctx context.Context, actor app.Actor, org string, in documents.ListInput) (documents.ListPage, error)
}

// Identity is what the routes need of sign-in. identity.Service does it.
type Identity interface {
	Login(ctx context.Context, in identity.LoginInput) (identity.SignIn, error)
	Refresh(ctx context.Context, refreshToken string) (identity.SignIn, error)
	Logout(ctx context.Context, refreshToken string) error
	Authenticate(ctx context.Context, bearer string) (app.Actor, error)
	Me(ctx context.Context, actor app.Actor) (app.User, []app.Membership, error)
	JWKS(ctx context.Context) (identity.JWKS, error)
	CreateOperatorKey(ctx context.Context, actor app.Actor, name string, expires time.Time) (app.OperatorKey, string, error)
	ListOperatorKeys(ctx context.Context, actor app.Actor) ([]app.OperatorKey, error)
	RevokeOperatorKey(ctx context.Context, actor app.Actor, id string) (app.OperatorKey, error)
}

var (
	_ Tenancy   = (*tenancy.Service)(nil)
	_ Documents = (*documents.Service)(nil)
	_ Identity  = (*identity.Service)(nil)
)
