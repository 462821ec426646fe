package relocation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tenantry/app"
)

// Plan is what a relocation would do.
type Plan struct {
	Organization   app.OrganizationID
	Source, Target app.Placement
	// Total is what would be moved.
	Total app.NamespaceStats
	// Estimate is how long it would take, going by how fast the source is read
	// now and what is allowed in a second.
	Estimate time.Duration
}

// passes is how often everything is read or written, to the reading of it
// once: copying reads and writes, verifying reads both sides. Writing takes
// about twice as long.
const passes = 5

// Preflight finds out whether an organization can be moved, and what that would
// be. It changes nothing.
func (m *Mover) Preflight(ctx context.Context, org app.OrganizationID, from, to app.Placement) (Plan, error) {
	plan := Plan{Organization: org, Source: from, Target: to}
	source, err := m.place(ctx, org, from)
	if err != nil {
		return plan, err
	}
	target, err := m.place(ctx, org, to)
	if err != nil {
		return plan, err
	}
	for _, p := range []place{source, target} {
		cluster, err := m.cluster(ctx, p.ns.Placement.Cluster)
		if err != nil {
			return plan, err
		}
		if err := cluster.Health(ctx); err != nil {
			return plan, err
		}
	}
	phase, _, err := target.Phase(ctx, target.ns)
	switch {
	case errors.Is(err, app.ErrNotFound):
	case err != nil:
		return plan, fmt.Errorf("look at the target: %w", err)
	case phase == app.PhaseOpen || phase == app.PhaseRecording:
		return plan, app.Fail(app.ErrConflict, "relocation_target_occupied",
			"There is data of this organization at the target already. \"tenantry doctor\" shows it.")
	}
	if plan.Total, err = source.Stats(ctx, source.ns); err != nil {
		return plan, fmt.Errorf("measure the organization: %w", err)
	}
	plan.Estimate, err = m.estimate(ctx, source, plan.Total)
	return plan, err
}

// Least is about how long a relocation takes of an organization that has nothing.
func (m *Mover) Least() time.Duration {
	const steps = 200 * time.Millisecond
	if m.registry.Shared() {
		return m.cfg.PlacementLease + steps
	}
	return steps
}

// estimate reads a page, and goes by that.
func (m *Mover) estimate(ctx context.Context, source place, total app.NamespaceStats) (time.Duration, error) {
	began := time.Now()
	page, err := source.Scan(ctx, source.ns, app.DocumentQuery{Limit: batch, MaxBytes: batchBytes})
	if err != nil {
		return 0, fmt.Errorf("read the source: %w", err)
	}
	took := time.Since(began)
	if len(page) == 0 {
		return 0, nil
	}
	d := time.Duration(float64(took) * passes * float64(total.Documents) / float64(len(page)))
	// Copying and verifying are each held back.
	if n := m.cfg.DocumentsPerSecond; n > 0 {
		d = max(d, 2*time.Duration(float64(total.Documents)/float64(n)*float64(time.Second)))
	}
	if n := m.cfg.BytesPerSecond; n > 0 {
		d = max(d, 2*time.Duration(float64(total.Bytes)/float64(n)*float64(time.Second)))
	}
	return d, nil
}
