package tenancy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"tenantry/app"
	"tenantry/app/journal"
	"tenantry/app/relocation"
)

// DrainInput says how a cluster is emptied.
type DrainInput struct {
	// To is where everybody goes; empty: to where the placement sends them.
	To string
	// Complete removes what was left as soon as an organization has switched,
	// instead of keeping it for the grace period.
	Complete bool
}

// DrainCluster moves everybody out of a cluster, which takes nobody any more from
// then on. A second request for the same gives the operation of the first. The
// error is a journal.RunningError with the operation while it is under way. For
// operators.
func (s *Service) DrainCluster(ctx context.Context, actor app.Actor, name string, in DrainInput) (OperationView, error) {
	d, err := s.drainable(ctx, actor, name, in)
	if err != nil {
		return OperationView{}, err
	}
	op, is, err := s.openDrain(ctx)
	if err != nil {
		return OperationView{}, err
	}
	if is {
		return OperationView{}, sameDrain(op, d)
	}
	if d.Total, err = s.registry.CountOrganizations(ctx, app.OrganizationQuery{Cluster: name}); err != nil {
		return OperationView{}, fmt.Errorf("count the organizations of cluster %s: %w", name, err)
	}
	d.Left = d.Total
	// First: who is counted afterwards is all there will be.
	if err := s.closeCluster(ctx, name, in.To); err != nil {
		return OperationView{}, err
	}
	at := s.clock()
	op = app.Operation{ID: app.NewID[app.OperationID](), Kind: app.OperationDrain, State: app.OperationRunning, Drain: &d,
		Lease: s.runner.Lease(app.OperationDrain), CreatedAt: at, UpdatedAt: at}
	err = s.runner.Run(ctx, s.drainPlan(), op, func(ctx context.Context) error { return s.registry.BeginDrain(ctx, op) })
	var t *app.TakenError
	var pending *journal.PendingError
	switch {
	case errors.As(err, &t): // another server was first
		other, is, reading := s.openDrain(ctx)
		if reading != nil || !is {
			return OperationView{}, cmp.Or(reading, errBusy())
		}
		if other.Drain.Cluster != name {
			s.reopen(ctx, name)
		}
		return OperationView{}, sameDrain(other, d)
	case err != nil && !errors.As(err, &pending):
		return OperationView{}, fmt.Errorf("drain cluster %s: %w", name, err)
	}
	return s.Operation(ctx, actor, string(op.ID))
}

// OpenCluster opens a cluster to newcomers again that was closed. For operators.
func (s *Service) OpenCluster(ctx context.Context, actor app.Actor, name string) (ClusterView, error) {
	if err := operatorOnly(actor); err != nil {
		return ClusterView{}, err
	}
	if err := s.clusters.meet(ctx, name); err != nil {
		return ClusterView{}, err
	}
	if !s.clusters.known(name) {
		return ClusterView{}, errNoSuchCluster()
	}
	if op, is, err := s.openDrain(ctx); err != nil || is && op.Drain.Cluster == name {
		return ClusterView{}, cmp.Or[error](err, app.Fail(app.ErrConflict, "drain_in_progress",
			fmt.Sprintf("This cluster is being drained. Cancel operation %s first.", op.ID)))
	}
	if err := s.setClosing(ctx, name, false, ""); err != nil {
		return ClusterView{}, err
	}
	if err := s.clusters.keeper.Refresh(ctx); err != nil {
		return ClusterView{}, err
	}
	views, err := s.viewClusters(ctx, name)
	if err == nil && len(views) == 0 {
		err = errNoSuchCluster()
	}
	if err != nil {
		return ClusterView{}, err
	}
	return views[0], nil
}

// closeCluster closes a cluster, on this server at once.
func (s *Service) closeCluster(ctx context.Context, name, instead string) error {
	if err := s.setClosing(ctx, name, true, instead); err != nil {
		return fmt.Errorf("close cluster %s: %w", name, err)
	}
	return s.clusters.keeper.Refresh(ctx)
}

// drainable checks what is asked for.
func (s *Service) drainable(ctx context.Context, actor app.Actor, name string, in DrainInput) (app.Drain, error) {
	d := app.Drain{Cluster: name, To: in.To, Completing: in.Complete}
	if err := operatorOnly(actor); err != nil {
		return d, err
	}
	if _, err := s.clusters.find(ctx, name, s.registry.Trusted()); err != nil {
		if errors.Is(err, errNoCluster) {
			err = errNoSuchCluster()
		}
		return d, err
	}
	if in.To == "" {
		return d, nil
	}
	to, err := s.clusters.find(ctx, in.To, s.registry.Trusted())
	switch {
	case errors.Is(err, errNoCluster):
		return d, app.Invalid("to", "unknown_cluster", "There is no cluster with this name.")
	case err != nil:
		return d, err
	case in.To == name:
		return d, app.Invalid("to", "same_cluster", "Name another cluster than the one that is drained.")
	case to.Closing:
		return d, app.Invalid("to", "cluster_closing", "This cluster takes nobody any more.")
	}
	return d, nil
}

// openDrain gives the one that is under way.
func (s *Service) openDrain(ctx context.Context) (op app.Operation, is bool, err error) {
	list, err := s.registry.ListOperations(ctx, app.OperationQuery{Kind: app.OperationDrain, States: app.OpenStates(), Limit: 1})
	if err != nil || len(list) == 0 || list[0].Drain == nil {
		return op, false, err
	}
	return list[0], true, nil
}

// sameDrain is a RunningError where the drain that is under way is this very one.
func sameDrain(op app.Operation, d app.Drain) error {
	now := op.Drain
	if now.Cluster == d.Cluster && now.To == d.To && now.Completing == d.Completing && !op.State.Undoing() {
		return &journal.RunningError{Operation: op.ID}
	}
	return app.Fail(app.ErrConflict, "drain_in_progress", fmt.Sprintf(
		"The cluster %s is being drained already, one at a time. Wait for operation %s to end, or cancel it.", now.Cluster, op.ID))
}

func (s *Service) drainPlan() journal.Plan {
	return journal.Plan{Kind: app.OperationDrain, Drive: s.drain, Lease: relocation.Lease}
}

// DrainPlan is what a drain would do.
type DrainPlan struct {
	app.Drain
	// Documents and Bytes are those of the whole cluster.
	Documents, Bytes int64
	// Estimate is how long it would take, going by those that were looked at.
	Estimate time.Duration
	// Moves are where they would go, the first of them.
	Moves []DrainMove
	// Targets counts how many would go where, and Stay how many cannot be moved now.
	Targets map[string]int64
	Stay    int64
	// Needed is about what those who go somewhere need there, going by those that
	// were measured.
	Needed map[string]DrainNeed
}

// DrainNeed is how much room there must be in a cluster, in bytes, and is.
type DrainNeed struct {
	Needed int64
	Room   app.Room
}

// DrainMove is one organization of a DrainPlan.
type DrainMove struct {
	Organization app.Organization
	// To is where it would go; or Reason why it cannot now.
	To     RelocateInput
	Reason string
	// Measured: Total is how much there is of it.
	Measured bool
	Total    app.NamespaceStats
}

const (
	// movesShown is how many moves a plan shows, and planTime for how long they are
	// measured.
	movesShown = 100
	planTime   = 3 * time.Second
)

// PlanDrain says what DrainCluster would do, and changes nothing. For operators.
func (s *Service) PlanDrain(ctx context.Context, actor app.Actor, name string, in DrainInput) (DrainPlan, error) {
	d, err := s.drainable(ctx, actor, name, in)
	if err != nil {
		return DrainPlan{}, err
	}
	p := DrainPlan{Drain: d, Targets: map[string]int64{}, Needed: map[string]DrainNeed{}}
	also := newcomers{map[string]int64{}, map[string]int64{}}
	err = s.eachResident(ctx, name, func(org app.Organization) error {
		p.Total++
		m := DrainMove{Organization: org}
		m.To, m.Reason, err = s.wouldGo(ctx, org, d, also)
		if err != nil {
			return err
		}
		if m.Reason == "" {
			p.Targets[m.To.Cluster]++
			also.all[m.To.Cluster]++
			if own(m.To.Isolation) {
				also.own[m.To.Cluster]++
			}
		} else {
			p.Stay++
		}
		if len(p.Moves) < movesShown {
			p.Moves = append(p.Moves, m)
		}
		return nil
	})
	if err != nil {
		return p, err
	}
	p.Left = p.Total
	return p, s.measureDrain(ctx, &p)
}

// wouldGo says where an organization would go, or why it would not now.
func (s *Service) wouldGo(ctx context.Context, org app.Organization, d app.Drain, also newcomers) (to RelocateInput, reason string, err error) {
	if !org.State.Visible() {
		return to, stays(org), nil
	}
	to, err = s.drainTarget(ctx, org, d, also)
	var none noPlaceError
	if errors.As(err, &none) {
		return to, none.Error(), nil
	}
	return to, "", err
}

// measureDrain fills in how much it is, as far as there is time.
func (s *Service) measureDrain(ctx context.Context, p *DrainPlan) error {
	place, err := s.clusters.find(ctx, p.Cluster, true)
	if err != nil {
		return err
	}
	usage, err := place.Usage(ctx)
	if err != nil {
		return fmt.Errorf("measure cluster %s: %w", p.Cluster, err)
	}
	p.Documents, p.Bytes = usage.Documents, usage.Bytes
	var took time.Duration
	measured, end := 0, time.Now().Add(planTime)
	needs := map[string][]relocation.Plan{}
	for i := range p.Moves {
		m := &p.Moves[i]
		if m.Reason != "" || time.Now().After(end) {
			continue
		}
		target, err := s.locateFor(m.Organization, m.To)
		var plan relocation.Plan
		if err == nil {
			plan, err = s.mover.Preflight(ctx, m.Organization.ID, m.Organization.Placement, target)
		}
		if err != nil {
			m.Reason = reasonOf(err)
			p.Targets[m.To.Cluster]--
			p.Stay++
			continue
		}
		m.Measured, m.Total = true, plan.Total
		needs[target.Cluster] = append(needs[target.Cluster], plan)
		took += plan.Estimate + s.mover.Least()
		measured++
	}
	maps.DeleteFunc(p.Targets, func(_ string, n int64) bool { return n == 0 })
	for name, plans := range needs {
		p.Needed[name] = DrainNeed{relocation.Needed(plans, p.Targets[name]), plans[len(plans)-1].Room}
	}
	if measured > 0 {
		p.Estimate = took / time.Duration(measured) * time.Duration(p.Total-p.Stay) / drainAtOnce
	}
	return nil
}
