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
	// Needed is about how many bytes the target must have room for, and Room what
	// it has.
	Needed int64
	Room   app.Room
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
	if plan.Room, err = m.look(ctx, from, to); err != nil {
		return plan, err
	}
	phase, _, err := target.Phase(ctx, target.ns)
	switch {
	case errors.Is(err, app.ErrNotFound):
	case err != nil:
		return plan, fmt.Errorf("look at the target: %w", unfit(err))
	case phase == app.PhaseOpen || phase == app.PhaseRecording:
		return plan, app.Fail(app.ErrConflict, "relocation_target_occupied",
			"There is data of this organization at the target already. \"tenantry doctor\" shows it.")
	}
	if plan.Total, err = source.Stats(ctx, source.ns); err != nil {
		return plan, fmt.Errorf("measure the organization: %w", err)
	}
	if plan.Needed = app.RoomFor(plan.Total.Documents, plan.Total.Bytes); plan.Room.Known && plan.Needed > plan.Room.Free {
		return plan, app.Fail(app.ErrConflict, "no_room_at_target", fmt.Sprintf("The organization needs about %s at the target, a margin included, "+
			"and cluster %s has %s free. Make room there, or take another cluster.", app.SizeWords(plan.Needed), to.Cluster, app.SizeWords(plan.Room.Free)))
	}
	plan.Estimate, err = m.estimate(ctx, source, plan.Total)
	return plan, err
}

// look refuses to move from or to a cluster that cannot be used, and says how
// much room there is where it goes.
func (m *Mover) look(ctx context.Context, from, to app.Placement) (app.Room, error) {
	target, err := m.cluster(ctx, to.Cluster)
	if err != nil {
		return app.Room{}, err
	}
	room, err := target.Room(ctx)
	if err != nil {
		return room, unfit(err)
	}
	for _, name := range []string{from.Cluster, to.Cluster} {
		cluster, err := m.cluster(ctx, name)
		if err != nil {
			return room, err
		}
		if err := cluster.Health(ctx); err != nil {
			return room, err
		}
	}
	return room, nil
}

// unfit is the answer where a cluster is of another version: no waiting helps.
func unfit(err error) error {
	var version *app.VersionError
	if !errors.As(err, &version) {
		return err
	}
	return &app.Error{Kind: app.ErrConflict, Code: "cluster_version", Cause: version.Err,
		Detail: fmt.Sprintf("Nothing can be moved there: %s.", version)}
}

// Needed is about what count organizations need at a target, going by those of
// them that were looked at, of which there is one at least.
func Needed(plans []Plan, count int64) int64 {
	var all app.NamespaceStats
	for _, p := range plans {
		all.Documents += p.Total.Documents
		all.Bytes += p.Total.Bytes
	}
	share := float64(max(count, int64(len(plans)))) / float64(len(plans))
	return app.RoomFor(int64(float64(all.Documents)*share), int64(float64(all.Bytes)*share))
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
	list, err := source.Scan(ctx, source.ns, app.DocumentQuery{Limit: batch, MaxBytes: pageBytes})
	if err != nil {
		return 0, fmt.Errorf("read the source: %w", err)
	}
	took := time.Since(began)
	if len(list) == 0 {
		return 0, nil
	}
	d := time.Duration(float64(took) * passes * float64(total.Documents) / float64(len(list)))
	// Copying and verifying are each held back.
	if n := m.cfg.DocumentsPerSecond; n > 0 {
		d = max(d, 2*time.Duration(float64(total.Documents)/float64(n)*float64(time.Second)))
	}
	if n := m.cfg.BytesPerSecond; n > 0 {
		d = max(d, 2*time.Duration(float64(total.Bytes)/float64(n)*float64(time.Second)))
	}
	return d, nil
}
