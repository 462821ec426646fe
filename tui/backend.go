package tui

import (
	"context"
	"encoding/json"
	"time"

	"tenantry/app/client"
	"tenantry/app/verify"
)

// Backend is what the screens do. [client.Client] does it, be the server on
// another machine, behind the data folder's socket, or inside this process.
type Backend interface {
	Ready(ctx context.Context) (client.Readiness, error)
	Status(ctx context.Context) (client.Status, error)
	Clusters(ctx context.Context) ([]client.Cluster, error)
	DrainCluster(ctx context.Context, name string, in client.DrainCluster) (client.Operation, error)
	OpenCluster(ctx context.Context, name string) (client.Cluster, error)

	Login(ctx context.Context, email, password, organization string) (client.Tokens, error)
	Refresh(ctx context.Context, token string) (client.Tokens, error)
	Logout(ctx context.Context, token string) error
	Me(ctx context.Context) (client.Me, error)

	CreateOrganization(ctx context.Context, in client.NewOrganization) (client.Organization, error)
	Organization(ctx context.Context, ref string) (client.Organization, error)
	ListOrganizations(ctx context.Context, in client.ListOrganizations) (client.OrganizationPage, error)
	UpdateOrganization(ctx context.Context, ref string, in client.OrganizationPatch) (client.Organization, error)
	DeleteOrganization(ctx context.Context, ref string) (client.Deletion, error)
	RestoreOrganization(ctx context.Context, ref string) (client.Organization, error)
	SuspendOrganization(ctx context.Context, ref string) (client.Organization, error)
	ResumeOrganization(ctx context.Context, ref string) (client.Organization, error)
	Placement(ctx context.Context, ref string) (client.Placement, error)
	RelocateOrganization(ctx context.Context, ref string, in client.Relocate) (client.Operation, error)
	Owner(ctx context.Context, ref string) (client.Owner, error)
	UpdateOwner(ctx context.Context, ref string, in client.OwnerPatch) (client.Owner, error)

	ListDocuments(ctx context.Context, org, typ, cursor string, limit int) (client.DocumentPage, error)
	Document(ctx context.Context, org, id string) (client.Document, error)
	CreateDocument(ctx context.Context, org string, in client.NewDocument) (client.Document, error)
	PutDocument(ctx context.Context, org, id, typ string, data json.RawMessage, ifRevision int64) (client.Document, error)
	DeleteDocument(ctx context.Context, org, id string, ifRevision int64) error

	ListOperations(ctx context.Context, in client.ListOperations) (client.OperationPage, error)
	Operation(ctx context.Context, id string) (client.Operation, error)
	RetryOperation(ctx context.Context, id string) (client.Operation, error)
	CancelOperation(ctx context.Context, id string) (client.Operation, error)
	CompleteOperation(ctx context.Context, id string) (client.Operation, error)
	RevertOperation(ctx context.Context, id string) (client.Operation, error)

	OperatorKeys(ctx context.Context) ([]client.OperatorKey, error)
	CreateOperatorKey(ctx context.Context, name string, expires time.Time) (client.NewOperatorKey, error)
	RevokeOperatorKey(ctx context.Context, id string) error
}

var _ Backend = (*client.Client)(nil)

// Server is how the screens reach a server.
type Server struct {
	// Name is what the header calls it: a URL or a folder.
	Name string
	// Token is what the command was given; "" is nobody, or the operator over
	// the data folder's socket.
	Token string
	// As gives the server as whoever holds the token sees it.
	As func(token string) Backend
	// Trusted: who reaches the server is its operator, without signing in.
	Trusted bool
	// News are sentences about the way to the server, such as that another one
	// answers now. It may be nil.
	News <-chan string
	// Verify runs the smoke routine.
	Verify func(ctx context.Context, token string, o verify.Observer) verify.Report
}
