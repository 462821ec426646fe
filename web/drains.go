package web

import (
	"context"
	"maps"
	"slices"

	"tenantry/app"
	"tenantry/app/tenancy"
)

type drainClusterInput struct {
	Cluster string `path:"cluster" doc:"The cluster's name."`
	Body    struct {
		To       string `json:"to,omitempty" doc:"Where everybody goes. Absent: to where the placement of the configuration sends them."`
		Complete bool   `json:"complete,omitempty" doc:"Remove what was left as soon as an organization has switched, without a grace period: there is no way back."`
		DryRun   bool   `json:"dry_run,omitempty" doc:"Only say who would go where, how much that is, and about how long it would take."`
	}
}

func (s *Server) drainCluster(ctx context.Context, in *drainClusterInput) (*operationOutput, error) {
	c := callOf(ctx)
	how := tenancy.DrainInput{To: in.Body.To, Complete: in.Body.Complete}
	if in.Body.DryRun {
		plan, err := s.services.Tenancy.PlanDrain(ctx, c.actor, in.Cluster, how)
		if err != nil {
			return nil, err
		}
		return &operationOutput{viewDrainPlan(plan)}, nil
	}
	op, err := s.services.Tenancy.DrainCluster(ctx, c.actor, in.Cluster, how)
	if err != nil {
		return nil, c.goesOn(err)
	}
	return operationOut(op, nil)
}

type openClusterInput struct {
	Cluster string `path:"cluster" doc:"The cluster's name."`
}

func (s *Server) openCluster(ctx context.Context, in *openClusterInput) (*clusterOutput, error) {
	opened, err := s.services.Tenancy.OpenCluster(ctx, callOf(ctx).actor, in.Cluster)
	if err != nil {
		return nil, err
	}
	v := viewCluster(opened)
	return &clusterOutput{&v}, nil
}

type drainView struct {
	Cluster  string             `json:"cluster"`
	To       string             `json:"to,omitempty" doc:"Where everybody goes. Absent: to where the placement sends them."`
	Complete bool               `json:"complete" doc:"What was left is removed without a grace period."`
	Total    int64              `json:"total" doc:"Organizations there at the beginning."`
	Left     int64              `json:"left" doc:"Those that live there still."`
	Failures int64              `json:"failures" doc:"Those that could not be moved."`
	Failed   []drainFailureView `json:"failed,omitempty" nullable:"false" doc:"The first 100 of them."`
	Plan     *drainPlanView     `json:"plan,omitempty" nullable:"false" doc:"Of a dry run."`
}

type drainFailureView struct {
	OrganizationID string `json:"organization_id" format:"uuid"`
	Slug           string `json:"slug"`
	Reason         string `json:"reason"`
}

type drainPlanView struct {
	Documents int64             `json:"documents" doc:"Of the whole cluster."`
	Bytes     int64             `json:"bytes" doc:"That it takes on disk."`
	Targets   []drainTargetView `json:"targets" nullable:"false"`
	Stay      int64             `json:"stay" doc:"Those that could not be moved now."`
	Moves     []drainMoveView   `json:"moves" nullable:"false" doc:"The first 100 organizations."`
}

type drainTargetView struct {
	Cluster       string    `json:"cluster"`
	Organizations int64     `json:"organizations"`
	Room          *roomView `json:"room,omitempty" nullable:"false" doc:"The room that there is; absent where nobody was measured who would go there. Who does not fit in stays."`
}

type drainMoveView struct {
	OrganizationID string      `json:"organization_id" format:"uuid"`
	Slug           string      `json:"slug"`
	Cluster        string      `json:"cluster,omitempty" doc:"Where it would go."`
	Isolation      string      `json:"isolation,omitempty"`
	Size           *amountView `json:"size,omitempty" doc:"How much there is of it; absent where there was no time to look."`
	Reason         string      `json:"reason,omitempty" doc:"Why it could not be moved now."`
}

func viewDrain(d *app.Drain) *drainView {
	if d == nil {
		return nil
	}
	v := &drainView{Cluster: d.Cluster, To: d.To, Complete: d.Completing, Total: d.Total, Left: d.Left, Failures: d.Failures}
	for _, f := range d.Failed {
		v.Failed = append(v.Failed, drainFailureView{OrganizationID: string(f.Organization), Slug: f.Slug, Reason: f.Reason})
	}
	return v
}

// viewDrainPlan is the operation as it would be.
func viewDrainPlan(p tenancy.DrainPlan) *operationView {
	now, dry := formatTime(app.Now()), true
	d := viewDrain(&p.Drain)
	d.Plan = &drainPlanView{Documents: p.Documents, Bytes: p.Bytes, Stay: p.Stay, Targets: []drainTargetView{}, Moves: []drainMoveView{}}
	for _, name := range slices.Sorted(maps.Keys(p.Targets)) {
		v := drainTargetView{Cluster: name, Organizations: p.Targets[name]}
		if need, measured := p.Needed[name]; measured {
			v.Room = viewRoom(need.Needed, need.Room)
		}
		d.Plan.Targets = append(d.Plan.Targets, v)
	}
	for _, m := range p.Moves {
		v := drainMoveView{OrganizationID: string(m.Organization.ID), Slug: m.Organization.Slug, Reason: m.Reason}
		if m.Reason == "" {
			v.Cluster, v.Isolation = m.To.Cluster, string(m.To.Isolation)
		}
		if m.Measured {
			v.Size = &amountView{Documents: m.Total.Documents, Bytes: m.Total.Bytes}
		}
		d.Plan.Moves = append(d.Plan.Moves, v)
	}
	return &operationView{Kind: string(app.OperationDrain), State: string(app.OperationRunning), DryRun: &dry,
		Progress: progressView{Total: int(p.Total)}, Estimate: seconds(p.Estimate), Drain: d, CreatedAt: now, UpdatedAt: now}
}
