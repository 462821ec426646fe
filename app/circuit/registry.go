package circuit

import (
	"context"
	"log/slog"
	"time"

	"tenantry/app"
)

type registry struct {
	*Circuit
	inner app.Registry
}

// closable is a registry that can be closed to its servers.
type closable interface {
	// Closed says why no call may be made, or nil. It takes no time as a rule.
	Closed() error
}

// Registry puts a circuit around a registry. Closing what it returns closes
// both.
func Registry(inner app.Registry, log *slog.Logger) (app.Registry, *Circuit) {
	r := &registry{Circuit: newCircuit("registry", log, inner.Health), inner: inner}
	if c, can := inner.(closable); can {
		r.closed = c.Closed
	}
	return r, r.Circuit
}

// Close ends the asking and closes the registry.
func (r *registry) Close() error {
	r.close()
	return r.inner.Close()
}

// Health is the circuit's word while it is open, else the registry's.
func (r *registry) Health(ctx context.Context) error {
	return r.do(func() error { return r.inner.Health(ctx) })
}

// What follows is app.Registry's; the first three ask nobody.

func (r *registry) Subscribe(f func(app.Invalidation)) { r.inner.Subscribe(f) }
func (r *registry) Trusted() bool                      { return r.inner.Trusted() }
func (r *registry) Shared() bool                       { return r.inner.Shared() }

func (r *registry) Organization(ctx context.Context, id app.OrganizationID) (app.Organization, error) {
	return get(r.Circuit, func() (app.Organization, error) { return r.inner.Organization(ctx, id) })
}

func (r *registry) OrganizationBySlug(ctx context.Context, slug string) (app.Organization, error) {
	return get(r.Circuit, func() (app.Organization, error) { return r.inner.OrganizationBySlug(ctx, slug) })
}

func (r *registry) ListOrganizations(ctx context.Context, q app.OrganizationQuery) ([]app.Organization, error) {
	return get(r.Circuit, func() ([]app.Organization, error) { return r.inner.ListOrganizations(ctx, q) })
}

func (r *registry) CountOrganizations(ctx context.Context, q app.OrganizationQuery) (int64, error) {
	return get(r.Circuit, func() (int64, error) { return r.inner.CountOrganizations(ctx, q) })
}

func (r *registry) BeginCreate(ctx context.Context, op app.Operation, c app.Creation) error {
	return r.do(func() error { return r.inner.BeginCreate(ctx, op, c) })
}

func (r *registry) CheckCreate(ctx context.Context, c app.Creation, at time.Time) error {
	return r.do(func() error { return r.inner.CheckCreate(ctx, c, at) })
}

func (r *registry) FinishCreate(ctx context.Context, op app.Operation, at time.Time) (app.Organization, error) {
	return get(r.Circuit, func() (app.Organization, error) { return r.inner.FinishCreate(ctx, op, at) })
}

func (r *registry) AbandonCreate(ctx context.Context, op app.Operation, reason string, at time.Time) error {
	return r.do(func() error { return r.inner.AbandonCreate(ctx, op, reason, at) })
}

func (r *registry) ChangeOrganization(ctx context.Context, c app.OrganizationChange) (app.Organization, error) {
	return get(r.Circuit, func() (app.Organization, error) { return r.inner.ChangeOrganization(ctx, c) })
}

func (r *registry) BeginRename(ctx context.Context, op app.Operation) error {
	return r.do(func() error { return r.inner.BeginRename(ctx, op) })
}

func (r *registry) FinishRename(ctx context.Context, op app.Operation, at time.Time) (app.Organization, error) {
	return get(r.Circuit, func() (app.Organization, error) { return r.inner.FinishRename(ctx, op, at) })
}

func (r *registry) AbandonRename(ctx context.Context, op app.Operation, reason string, at time.Time) error {
	return r.do(func() error { return r.inner.AbandonRename(ctx, op, reason, at) })
}

func (r *registry) BeginDelete(ctx context.Context, op app.Operation, ifRevision int64) error {
	return r.do(func() error { return r.inner.BeginDelete(ctx, op, ifRevision) })
}

func (r *registry) RestoreOrganization(ctx context.Context, op app.Operation, at time.Time) (app.Organization, error) {
	return get(r.Circuit, func() (app.Organization, error) { return r.inner.RestoreOrganization(ctx, op, at) })
}

func (r *registry) BeginPurge(ctx context.Context, op app.Operation, at time.Time) error {
	return r.do(func() error { return r.inner.BeginPurge(ctx, op, at) })
}

func (r *registry) FinishDelete(ctx context.Context, op app.Operation, at time.Time) error {
	return r.do(func() error { return r.inner.FinishDelete(ctx, op, at) })
}

func (r *registry) Repetition(ctx context.Context, key string) (app.Repetition, error) {
	return get(r.Circuit, func() (app.Repetition, error) { return r.inner.Repetition(ctx, key) })
}

func (r *registry) PruneRepetitions(ctx context.Context, t time.Time) (int, error) {
	return get(r.Circuit, func() (int, error) { return r.inner.PruneRepetitions(ctx, t) })
}

func (r *registry) User(ctx context.Context, id app.UserID) (app.User, error) {
	return get(r.Circuit, func() (app.User, error) { return r.inner.User(ctx, id) })
}

func (r *registry) UserByEmail(ctx context.Context, emailKey string) (app.User, error) {
	return get(r.Circuit, func() (app.User, error) { return r.inner.UserByEmail(ctx, emailKey) })
}

func (r *registry) BeginRelocation(ctx context.Context, op app.Operation) error {
	return r.do(func() error { return r.inner.BeginRelocation(ctx, op) })
}

func (r *registry) NoteRelocation(ctx context.Context, op app.Operation, from int64, at time.Time) (app.Operation, error) {
	return get(r.Circuit, func() (app.Operation, error) { return r.inner.NoteRelocation(ctx, op, from, at) })
}

func (r *registry) FlipRelocation(ctx context.Context, op app.Operation, at time.Time) (app.Organization, error) {
	return get(r.Circuit, func() (app.Organization, error) { return r.inner.FlipRelocation(ctx, op, at) })
}

func (r *registry) EndRelocation(ctx context.Context, op app.Operation, state app.OperationState, reason string, at time.Time) error {
	return r.do(func() error { return r.inner.EndRelocation(ctx, op, state, reason, at) })
}

func (r *registry) BeginDrain(ctx context.Context, op app.Operation) error {
	return r.do(func() error { return r.inner.BeginDrain(ctx, op) })
}

func (r *registry) NoteDrain(ctx context.Context, op app.Operation, at time.Time) (app.Operation, error) {
	return get(r.Circuit, func() (app.Operation, error) { return r.inner.NoteDrain(ctx, op, at) })
}

func (r *registry) EndDrain(ctx context.Context, op app.Operation, state app.OperationState, reason string, at time.Time) error {
	return r.do(func() error { return r.inner.EndDrain(ctx, op, state, reason, at) })
}

func (r *registry) Account(ctx context.Context, q app.AccountQuery) (app.Account, error) {
	return get(r.Circuit, func() (app.Account, error) { return r.inner.Account(ctx, q) })
}

func (r *registry) ReplacePasswordHash(ctx context.Context, id app.UserID, old, hash string) error {
	return r.do(func() error { return r.inner.ReplacePasswordHash(ctx, id, old, hash) })
}

func (r *registry) Memberships(ctx context.Context, user app.UserID) ([]app.Membership, error) {
	return get(r.Circuit, func() ([]app.Membership, error) { return r.inner.Memberships(ctx, user) })
}

func (r *registry) Membership(ctx context.Context, org app.OrganizationID, user app.UserID) (app.Membership, error) {
	return get(r.Circuit, func() (app.Membership, error) { return r.inner.Membership(ctx, org, user) })
}

func (r *registry) CreateSession(ctx context.Context, s app.Session, p app.Proof) error {
	return r.do(func() error { return r.inner.CreateSession(ctx, s, p) })
}

func (r *registry) Session(ctx context.Context, id app.SessionID) (app.SignedIn, error) {
	return get(r.Circuit, func() (app.SignedIn, error) { return r.inner.Session(ctx, id) })
}

func (r *registry) RotateSession(ctx context.Context, id app.SessionID, old, hash []byte, at, expires time.Time) error {
	return r.do(func() error { return r.inner.RotateSession(ctx, id, old, hash, at, expires) })
}

func (r *registry) DeleteSession(ctx context.Context, id app.SessionID) error {
	return r.do(func() error { return r.inner.DeleteSession(ctx, id) })
}

func (r *registry) PruneSessions(ctx context.Context, t time.Time) (int, error) {
	return get(r.Circuit, func() (int, error) { return r.inner.PruneSessions(ctx, t) })
}

func (r *registry) CreateOperatorKey(ctx context.Context, k app.OperatorKey) error {
	return r.do(func() error { return r.inner.CreateOperatorKey(ctx, k) })
}

func (r *registry) OperatorKeyByHash(ctx context.Context, hash []byte) (app.OperatorKey, error) {
	return get(r.Circuit, func() (app.OperatorKey, error) { return r.inner.OperatorKeyByHash(ctx, hash) })
}

func (r *registry) ListOperatorKeys(ctx context.Context) ([]app.OperatorKey, error) {
	return get(r.Circuit, func() ([]app.OperatorKey, error) { return r.inner.ListOperatorKeys(ctx) })
}

func (r *registry) RevokeOperatorKey(ctx context.Context, id app.OperatorKeyID, at time.Time) (app.OperatorKey, error) {
	return get(r.Circuit, func() (app.OperatorKey, error) { return r.inner.RevokeOperatorKey(ctx, id, at) })
}

func (r *registry) TouchOperatorKeys(ctx context.Context, used map[app.OperatorKeyID]time.Time) error {
	return r.do(func() error { return r.inner.TouchOperatorKeys(ctx, used) })
}

func (r *registry) CreateFirstOperatorKey(ctx context.Context, k app.OperatorKey) (bool, error) {
	return get(r.Circuit, func() (bool, error) { return r.inner.CreateFirstOperatorKey(ctx, k) })
}

func (r *registry) SigningKeys(ctx context.Context) ([]app.SigningKey, error) {
	return get(r.Circuit, func() ([]app.SigningKey, error) { return r.inner.SigningKeys(ctx) })
}

func (r *registry) AddSigningKey(ctx context.Context, k app.SigningKey, current string) error {
	return r.do(func() error { return r.inner.AddSigningKey(ctx, k, current) })
}

func (r *registry) RemoveSigningKeys(ctx context.Context, t time.Time) error {
	return r.do(func() error { return r.inner.RemoveSigningKeys(ctx, t) })
}

func (r *registry) AddedClusters(ctx context.Context) ([]app.AddedCluster, error) {
	return get(r.Circuit, func() ([]app.AddedCluster, error) { return r.inner.AddedClusters(ctx) })
}

func (r *registry) AddCluster(ctx context.Context, c app.AddedCluster) error {
	return r.do(func() error { return r.inner.AddCluster(ctx, c) })
}

func (r *registry) ReplaceCluster(ctx context.Context, c app.AddedCluster) error {
	return r.do(func() error { return r.inner.ReplaceCluster(ctx, c) })
}

func (r *registry) RemoveCluster(ctx context.Context, name string) error {
	return r.do(func() error { return r.inner.RemoveCluster(ctx, name) })
}

func (r *registry) Operation(ctx context.Context, id app.OperationID) (app.Operation, error) {
	return get(r.Circuit, func() (app.Operation, error) { return r.inner.Operation(ctx, id) })
}

func (r *registry) OpenOperations(ctx context.Context, due time.Time) ([]app.Operation, error) {
	return get(r.Circuit, func() ([]app.Operation, error) { return r.inner.OpenOperations(ctx, due) })
}

func (r *registry) ListOperations(ctx context.Context, q app.OperationQuery) ([]app.Operation, error) {
	return get(r.Circuit, func() ([]app.Operation, error) { return r.inner.ListOperations(ctx, q) })
}

func (r *registry) AbortOperation(ctx context.Context, id app.OperationID, to app.OperationState, reason string, at time.Time) error {
	return r.do(func() error { return r.inner.AbortOperation(ctx, id, to, reason, at) })
}

func (r *registry) NoteOperation(ctx context.Context, id app.OperationID, step, reason string, at time.Time) error {
	return r.do(func() error { return r.inner.NoteOperation(ctx, id, step, reason, at) })
}

func (r *registry) ClaimOperation(ctx context.Context, id app.OperationID, from, to app.Lease) error {
	return r.do(func() error { return r.inner.ClaimOperation(ctx, id, from, to) })
}

func (r *registry) PruneOperations(ctx context.Context, t time.Time) (int, error) {
	return get(r.Circuit, func() (int, error) { return r.inner.PruneOperations(ctx, t) })
}
