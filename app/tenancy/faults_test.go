package tenancy_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"tenantry/app"
)

var (
	errRefused = app.Unavailable("A store that a test took away", nil)
	errCrashed = errors.New("this server is dead")
)

// never is the number of no call.
const never = -1

// faults decide what becomes of each write to the stores, counted from 0 over
// both of them.
type faults struct {
	refuse   int  // the number of the write that is answered with an error
	unheard  bool // it is done, and only its answer is lost
	crash    int  // the number of the write at which the server dies
	answered bool // it dies after the write, not before

	mu    sync.Mutex
	count int
	dead  bool
	trace []string
}

func (f *faults) write(name string, do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return errCrashed
	}
	n := f.count
	f.count++
	f.trace = append(f.trace, name)
	if n == f.crash && !f.answered {
		f.dead = true
		return errCrashed
	}
	var err error
	if n != f.refuse || f.unheard {
		err = do()
	}
	switch n {
	case f.crash:
		f.dead = true
		return errCrashed
	case f.refuse:
		return errRefused
	}
	return err
}

func (f *faults) read(do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return errCrashed
	}
	return do()
}

// faultyRegistry stands before a registry.
type faultyRegistry struct {
	app.Registry
	f *faults
}

func (r faultyRegistry) BeginCreate(ctx context.Context, op app.Operation, c app.Creation) error {
	return r.f.write("BeginCreate", func() error { return r.Registry.BeginCreate(ctx, op, c) })
}

func (r faultyRegistry) FinishCreate(ctx context.Context, op app.Operation, at time.Time) (org app.Organization, err error) {
	return answered(r.f, "FinishCreate", func() (app.Organization, error) { return r.Registry.FinishCreate(ctx, op, at) })
}

func (r faultyRegistry) AbandonCreate(ctx context.Context, op app.Operation, reason string, at time.Time) error {
	return r.f.write("AbandonCreate", func() error { return r.Registry.AbandonCreate(ctx, op, reason, at) })
}

func (r faultyRegistry) ChangeOrganization(ctx context.Context, c app.OrganizationChange) (app.Organization, error) {
	return answered(r.f, "ChangeOrganization", func() (app.Organization, error) { return r.Registry.ChangeOrganization(ctx, c) })
}

func (r faultyRegistry) BeginRename(ctx context.Context, op app.Operation) error {
	return r.f.write("BeginRename", func() error { return r.Registry.BeginRename(ctx, op) })
}

func (r faultyRegistry) FinishRename(ctx context.Context, op app.Operation, at time.Time) (app.Organization, error) {
	return answered(r.f, "FinishRename", func() (app.Organization, error) { return r.Registry.FinishRename(ctx, op, at) })
}

func (r faultyRegistry) AbandonRename(ctx context.Context, op app.Operation, reason string, at time.Time) error {
	return r.f.write("AbandonRename", func() error { return r.Registry.AbandonRename(ctx, op, reason, at) })
}

func (r faultyRegistry) BeginDelete(ctx context.Context, op app.Operation, revision int64) error {
	return r.f.write("BeginDelete", func() error { return r.Registry.BeginDelete(ctx, op, revision) })
}

func (r faultyRegistry) FinishDelete(ctx context.Context, op app.Operation, at time.Time) error {
	return r.f.write("FinishDelete", func() error { return r.Registry.FinishDelete(ctx, op, at) })
}

func (r faultyRegistry) BeginPurge(ctx context.Context, op app.Operation, at time.Time) error {
	return r.f.write("BeginPurge", func() error { return r.Registry.BeginPurge(ctx, op, at) })
}

func (r faultyRegistry) RestoreOrganization(ctx context.Context, op app.Operation, at time.Time) (app.Organization, error) {
	return answered(r.f, "RestoreOrganization", func() (app.Organization, error) { return r.Registry.RestoreOrganization(ctx, op, at) })
}

func (r faultyRegistry) NoteOperation(ctx context.Context, id app.OperationID, step, reason string, at time.Time) error {
	return r.f.write("NoteOperation", func() error { return r.Registry.NoteOperation(ctx, id, step, reason, at) })
}

func (r faultyRegistry) AbortOperation(ctx context.Context, id app.OperationID, to app.OperationState, reason string, at time.Time) error {
	return r.f.write("AbortOperation", func() error { return r.Registry.AbortOperation(ctx, id, to, reason, at) })
}

func (r faultyRegistry) Operation(ctx context.Context, id app.OperationID) (op app.Operation, err error) {
	err = r.f.read(func() error {
		op, err = r.Registry.Operation(ctx, id)
		return err
	})
	return op, err
}

// answered is a write with a result, which is lost with its answer.
func answered(f *faults, name string, do func() (app.Organization, error)) (org app.Organization, err error) {
	err = f.write(name, func() error {
		org, err = do()
		return err
	})
	if err != nil {
		return app.Organization{}, err
	}
	return org, nil
}

// faultyCluster stands before a cluster.
type faultyCluster struct {
	app.Cluster
	f *faults
}

func (c faultyCluster) Provision(ctx context.Context, ns app.Namespace) error {
	return c.f.write("Provision", func() error { return c.Cluster.Provision(ctx, ns) })
}

func (c faultyCluster) Rename(ctx context.Context, ns app.Namespace, to string, generation int64) error {
	return c.f.write("Rename", func() error { return c.Cluster.Rename(ctx, ns, to, generation) })
}

func (c faultyCluster) Drop(ctx context.Context, ns app.Namespace) error {
	return c.f.write("Drop", func() error { return c.Cluster.Drop(ctx, ns) })
}
