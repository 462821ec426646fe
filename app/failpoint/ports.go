//go:build failpoint

package failpoint

import (
	"context"
	"time"

	"tenantry/app"
)

// Registry counts the writes by which operations change a registry.
func Registry(r app.Registry) app.Registry {
	if p := the(); p != nil {
		return registry{r, p}
	}
	return r
}

type registry struct {
	app.Registry
	p *plan
}

func (r registry) OpenOperations(ctx context.Context, due time.Time) ([]app.Operation, error) {
	all, err := r.Registry.OpenOperations(ctx, due)
	if err != nil || r.p.only == "" {
		return all, err
	}
	var mine []app.Operation
	for _, op := range all {
		if org, err := r.Organization(ctx, op.OrganizationID); err == nil && org.Slug == r.p.only {
			mine = append(mine, op)
		}
	}
	return mine, nil
}

func (r registry) BeginCreate(ctx context.Context, op app.Operation, c app.Creation) error {
	return r.p.write(ctx, "BeginCreate", func(ctx context.Context) error { return r.Registry.BeginCreate(ctx, op, c) })
}

func (r registry) FinishCreate(ctx context.Context, op app.Operation, at time.Time) (app.Organization, error) {
	return r.organization(ctx, "FinishCreate", func(ctx context.Context) (app.Organization, error) {
		return r.Registry.FinishCreate(ctx, op, at)
	})
}

func (r registry) AbandonCreate(ctx context.Context, op app.Operation, reason string, at time.Time) error {
	return r.p.write(ctx, "AbandonCreate", func(ctx context.Context) error { return r.Registry.AbandonCreate(ctx, op, reason, at) })
}

func (r registry) ChangeOrganization(ctx context.Context, c app.OrganizationChange) (app.Organization, error) {
	return r.organization(ctx, "ChangeOrganization", func(ctx context.Context) (app.Organization, error) {
		return r.Registry.ChangeOrganization(ctx, c)
	})
}

func (r registry) BeginRename(ctx context.Context, op app.Operation) error {
	return r.p.write(ctx, "BeginRename", func(ctx context.Context) error { return r.Registry.BeginRename(ctx, op) })
}

func (r registry) FinishRename(ctx context.Context, op app.Operation, at time.Time) (app.Organization, error) {
	return r.organization(ctx, "FinishRename", func(ctx context.Context) (app.Organization, error) {
		return r.Registry.FinishRename(ctx, op, at)
	})
}

func (r registry) AbandonRename(ctx context.Context, op app.Operation, reason string, at time.Time) error {
	return r.p.write(ctx, "AbandonRename", func(ctx context.Context) error { return r.Registry.AbandonRename(ctx, op, reason, at) })
}

func (r registry) BeginDelete(ctx context.Context, op app.Operation, ifRevision int64) error {
	return r.p.write(ctx, "BeginDelete", func(ctx context.Context) error { return r.Registry.BeginDelete(ctx, op, ifRevision) })
}

func (r registry) RestoreOrganization(ctx context.Context, op app.Operation, at time.Time) (app.Organization, error) {
	return r.organization(ctx, "RestoreOrganization", func(ctx context.Context) (app.Organization, error) {
		return r.Registry.RestoreOrganization(ctx, op, at)
	})
}

func (r registry) BeginPurge(ctx context.Context, op app.Operation, at time.Time) error {
	return r.p.write(ctx, "BeginPurge", func(ctx context.Context) error { return r.Registry.BeginPurge(ctx, op, at) })
}

func (r registry) FinishDelete(ctx context.Context, op app.Operation, at time.Time) error {
	return r.p.write(ctx, "FinishDelete", func(ctx context.Context) error { return r.Registry.FinishDelete(ctx, op, at) })
}

func (r registry) AbortOperation(ctx context.Context, id app.OperationID, to app.OperationState, reason string, at time.Time) error {
	return r.p.write(ctx, "AbortOperation", func(ctx context.Context) error { return r.Registry.AbortOperation(ctx, id, to, reason, at) })
}

func (r registry) NoteOperation(ctx context.Context, id app.OperationID, step, reason string, at time.Time) error {
	return r.p.write(ctx, "NoteOperation", func(ctx context.Context) error { return r.Registry.NoteOperation(ctx, id, step, reason, at) })
}

func (r registry) ClaimOperation(ctx context.Context, id app.OperationID, from, to app.Lease) error {
	return r.p.write(ctx, "ClaimOperation", func(ctx context.Context) error { return r.Registry.ClaimOperation(ctx, id, from, to) })
}

func (r registry) organization(ctx context.Context, name string, do func(ctx context.Context) (app.Organization, error)) (o app.Organization, err error) {
	err = r.p.write(ctx, name, func(ctx context.Context) error {
		o, err = do(ctx)
		return err
	})
	return o, err
}

// Cluster counts the writes by which operations change a cluster.
func Cluster(c app.Cluster) app.Cluster {
	if p := the(); p != nil {
		return cluster{c, p}
	}
	return c
}

type cluster struct {
	app.Cluster
	p *plan
}

func (c cluster) Provision(ctx context.Context, ns app.Namespace) error {
	return c.p.write(ctx, "Provision", func(ctx context.Context) error { return c.Cluster.Provision(ctx, ns) })
}

func (c cluster) Rename(ctx context.Context, ns app.Namespace, to string, generation int64) error {
	return c.p.write(ctx, "Rename", func(ctx context.Context) error { return c.Cluster.Rename(ctx, ns, to, generation) })
}

func (c cluster) Drop(ctx context.Context, ns app.Namespace) error {
	return c.p.write(ctx, "Drop", func(ctx context.Context) error { return c.Cluster.Drop(ctx, ns) })
}
