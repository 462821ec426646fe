package web

import (
	"context"
	"time"

	"tenantry/app"
	"tenantry/app/relocation"
	"tenantry/app/tenancy"
)

type relocateInput struct {
	Org  string `path:"org" doc:"The organization's id or slug."`
	Body struct {
		Cluster   string `json:"cluster,omitempty" doc:"Where to. Absent: it stays on its cluster."`
		Isolation string `json:"isolation,omitempty" enum:"collection,shared,database" doc:"Absent: it is kept apart as now."`
		DryRun    bool   `json:"dry_run,omitempty" doc:"Only say what would be moved, how much, and about how long it would take."`
	}
}

func (s *Server) relocateOrganization(ctx context.Context, in *relocateInput) (*operationOutput, error) {
	c := callOf(ctx)
	to := tenancy.RelocateInput{Cluster: in.Body.Cluster, Isolation: app.Isolation(in.Body.Isolation)}
	if in.Body.DryRun {
		plan, err := s.services.Tenancy.PlanRelocation(ctx, c.actor, in.Org, to)
		if err != nil {
			return nil, err
		}
		return &operationOutput{viewPlan(plan)}, nil
	}
	op, err := s.services.Tenancy.Relocate(ctx, c.actor, in.Org, to)
	if err != nil {
		return nil, c.goesOn(err)
	}
	return operationOut(op, nil)
}

func (s *Server) completeOperation(ctx context.Context, in *operationRef) (*operationOutput, error) {
	c := callOf(ctx)
	op, err := s.services.Tenancy.CompleteOperation(ctx, c.actor, in.ID)
	if err != nil {
		return nil, c.goesOn(err)
	}
	return operationOut(op, nil)
}

func (s *Server) revertOperation(ctx context.Context, in *operationRef) (*operationOutput, error) {
	c := callOf(ctx)
	op, err := s.services.Tenancy.RevertOperation(ctx, c.actor, in.ID)
	if err != nil {
		return nil, c.goesOn(err)
	}
	return operationOut(op, nil)
}

type relocationView struct {
	Source      placeView  `json:"source"`
	Target      placeView  `json:"target"`
	Total       amountView `json:"total" doc:"How much there was at the beginning."`
	Copied      amountView `json:"copied"`
	CaughtUp    amountView `json:"caught_up" doc:"What was written meanwhile and copied after that, as often as it was."`
	Verified    amountView `json:"verified" doc:"What was compared on both sides, whole."`
	Cutovers    int        `json:"cutovers" doc:"How often it was tried to switch."`
	HeldSeconds float64    `json:"held_seconds" doc:"How long writes were held, in all."`
	Revertible  bool       `json:"revertible" doc:"It can be completed or reverted now."`
	Differences []string   `json:"differences,omitempty" nullable:"false" doc:"Documents that were not the same on both sides when they had to be, the first of them."`
	Room        *roomView  `json:"room,omitempty" nullable:"false" doc:"Of a dry run: the room that there is at the target. It is refused where that is too little."`
	PhaseAt     string     `json:"phase_at" format:"date-time" doc:"When it came to the state that it is in."`
	SwitchedAt  *string    `json:"switched_at,omitempty" format:"date-time" nullable:"false"`
}

type placeView struct {
	Cluster    string `json:"cluster"`
	Isolation  string `json:"isolation" enum:"collection,shared,database"`
	Database   string `json:"database"`
	Collection string `json:"collection"`
}

type roomView struct {
	Needed int64  `json:"needed" doc:"About how many bytes it takes there, a margin included."`
	Free   *int64 `json:"free,omitempty" nullable:"false" doc:"How many bytes are free there; absent where the store does not say."`
}

func viewRoom(needed int64, room app.Room) *roomView {
	v := &roomView{Needed: needed}
	if room.Known {
		v.Free = &room.Free
	}
	return v
}

type amountView struct {
	Documents int64 `json:"documents"`
	Bytes     int64 `json:"bytes"`
}

func viewPlace(p app.Placement) placeView {
	return placeView{Cluster: p.Cluster, Isolation: string(p.Isolation), Database: p.Database, Collection: p.Collection}
}

func viewRelocation(r *app.Relocation) *relocationView {
	if r == nil {
		return nil
	}
	v := &relocationView{
		Source: viewPlace(r.Source), Target: viewPlace(r.Target), Total: amountView(r.Total), Copied: amountView(r.Copied),
		CaughtUp: amountView(r.CaughtUp), Verified: amountView(r.Verified), Cutovers: r.Cutovers,
		HeldSeconds: r.Held.Seconds(), Revertible: r.Revertible(),
		PhaseAt: formatTime(r.PhaseAt), SwitchedAt: formatOptional(r.SwitchedAt),
	}
	for _, id := range r.Differences {
		v.Differences = append(v.Differences, string(id))
	}
	return v
}

// viewPlan is the operation as it would be.
func viewPlan(p relocation.Plan) *operationView {
	now, dry := app.Now(), true
	relocation := viewRelocation(&app.Relocation{Source: p.Source, Target: p.Target, Total: p.Total, PhaseAt: now})
	relocation.Room = viewRoom(p.Needed, p.Room)
	return &operationView{
		Kind: string(app.OperationRelocate), OrganizationID: string(p.Organization), State: string(app.RelocationPreflight),
		DryRun: &dry, Progress: progressView{Total: int(2 * p.Total.Documents)}, Estimate: seconds(p.Estimate),
		Relocation: relocation,
		CreatedAt:  formatTime(now), UpdatedAt: formatTime(now),
	}
}

// seconds is a duration in a view; nil for none.
func seconds(d time.Duration) *float64 {
	if d <= 0 {
		return nil
	}
	s := d.Round(time.Millisecond).Seconds()
	return &s
}
