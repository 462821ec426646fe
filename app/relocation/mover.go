package relocation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tenantry/app"
)

// Registry is what moving needs of the registry.
type Registry interface {
	app.Relocations
	Operation(ctx context.Context, id app.OperationID) (app.Operation, error)
	AbortOperation(ctx context.Context, id app.OperationID, to app.OperationState, reason string, at time.Time) error
	// Shared reports whether other servers may work on it.
	Shared() bool
}

// Config is what the operator decides about relocations.
type Config struct {
	// PlacementLease is how late another server may hear of a flip.
	PlacementLease time.Duration
	// CutoverTimeout is how long writes are held at most.
	CutoverTimeout time.Duration
	// Grace is how long the source is kept after the flip.
	Grace time.Duration
	// DocumentsPerSecond and BytesPerSecond bound copying and verifying; 0: no
	// bound.
	DocumentsPerSecond int
	BytesPerSecond     int64
}

// Lease is how long a relocation may stand still before another server takes it
// over. It is short, since writes may be held meanwhile.
const Lease = 3 * time.Second

const (
	// firstPause and longestPause are between tries of what was refused.
	firstPause   = 100 * time.Millisecond
	longestPause = 10 * time.Second
	// noteEvery is how often it is recorded how far a relocation came, and looked
	// whether somebody gave it up.
	noteEvery = time.Second
	// noteTimeout bounds what has to be recorded, whatever else goes wrong.
	noteTimeout = 10 * time.Second
	// thawTimeout bounds what has to be done for writes to be let through: then
	// another server may have to do it, one that reaches the place.
	thawTimeout = 5 * time.Second
	// patience is how long a server tries to reach a place before it leaves the
	// relocation to others, who may have another way there. It is shorter when
	// writes may be held meanwhile.
	patience, heldPatience = Lease, time.Second
	// triesToDrop is how often it is tried to remove what was copied of a
	// relocation that is undone. A target that is gone must not hold the
	// organization.
	triesToDrop = 5
)

// Mover moves organizations.
type Mover struct {
	registry Registry
	cluster  func(ctx context.Context, name string) (app.Cluster, error)
	admitted func(ctx context.Context, cluster string) error
	cfg      Config
	clock    app.Clock
	log      *slog.Logger
}

// defaultCutover is Config.CutoverTimeout where none is given.
const defaultCutover = 5 * time.Second

// New makes a Mover. cluster finds a cluster by its name.
func New(registry Registry, cluster func(ctx context.Context, name string) (app.Cluster, error), cfg Config, clock app.Clock, log *slog.Logger) *Mover {
	if cfg.CutoverTimeout == 0 {
		cfg.CutoverTimeout = defaultCutover
	}
	return &Mover{registry: registry, cluster: cluster, cfg: cfg, clock: clock, log: log,
		admitted: func(context.Context, string) error { return nil }}
}

// Admitting makes the mover ask, after a relocation is recorded and before
// anything is done at its target, whether the cluster there still takes
// somebody: an app.ErrConflict when it does not. It returns m, and must come
// before any use.
func (m *Mover) Admitting(f func(ctx context.Context, cluster string) error) *Mover {
	m.admitted = f
	return m
}

var (
	// errTakenOver: another server works on it.
	errTakenOver = errors.New("another server has taken the relocation over")
	// errTurned: it is being undone now, or has to be looked at again for some
	// other reason that is no failure.
	errTurned = errors.New("the relocation is to be taken up again")
)

// failure is what no further try can mend.
type failure struct{ err error }

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func failed(format string, args ...any) error { return &failure{fmt.Errorf(format, args...)} }

// Drive works on a relocation until there is nothing to do: it has ended, or
// has switched and is in its grace period. Where other servers may work on it,
// one that cannot reach a place gives it back with an error. See journal.Plan.
func (m *Mover) Drive(ctx context.Context, op app.Operation) error {
	pause, undone := firstPause, 0
	var next turn
	var away absence
	for {
		now, err := m.attempt(ctx, op.ID, next)
		next = turn{}
		var fatal *failure
		var unsure *unsure
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errTakenOver):
			return err
		case errors.Is(err, errTurned):
			continue
		case errors.As(err, &unsure):
			// Writes are held: what happened must be found out now. The next try to
			// switch is what has time.
			m.log.Warn("a relocation does not know whether it holds writes or has switched, and finds out", "operation_id", op.ID, "org_id", op.OrganizationID, "error", err)
			next.wait, pause = pause, min(2*pause, longestPause)
			continue
		case errors.As(err, &fatal) && !now.State.Undoing() && now.Relocation.Flips == 0:
			err = m.registry.AbortOperation(ctx, op.ID, app.OperationAborting, fatal.Error(), m.clock())
			if err == nil {
				m.log.Warn("a relocation failed", "operation_id", op.ID, "org_id", op.OrganizationID, "error", fatal)
				continue
			}
		}
		if now.State.Undoing() {
			undone++
			next.leave = undone >= triesToDrop
		}
		if away.lasts(now, err) && m.registry.Shared() && (undone == 0 || undone > triesToDrop) {
			return err
		}
		m.log.Warn("a relocation does not come on, and is tried again", "operation_id", op.ID,
			"org_id", op.OrganizationID, "error", err)
		if !m.rest(ctx, op.ID, pause) {
			return ctx.Err()
		}
		pause = min(2*pause, longestPause)
	}
}

// absence is that of a place that cannot be reached, try after try.
type absence struct {
	since time.Time      // zero: there is none
	came  app.Relocation // how far it had come then
}

// lasts reports whether a place has been away for so long that another server
// should try.
func (a *absence) lasts(now app.Operation, err error) bool {
	rel := *now.Relocation
	further := rel.Phase != a.came.Phase || rel.CopiedTo != a.came.CopiedTo || rel.VerifiedTo != a.came.VerifiedTo || rel.Flips != a.came.Flips
	switch {
	case !errors.Is(err, app.ErrUnavailable):
		a.since = time.Time{}
		return false
	case a.since.IsZero() || further:
		a.since, a.came = time.Now(), rel
	}
	var stuck *stuck // it was tried for long enough
	held := rel.Phase == app.RelocationCutover || rel.Phase == app.RelocationReverting || rel.Flips > 0 && !rel.Settled
	switch {
	case errors.As(err, &stuck):
		return true
	case held:
		return time.Since(a.since) >= heldPatience
	}
	return time.Since(a.since) >= patience
}

// attempt takes the relocation over and goes on with it. It returns the
// operation as it was recorded last.
func (m *Mover) attempt(ctx context.Context, id app.OperationID, t turn) (app.Operation, error) {
	r, err := m.takeOver(ctx, id)
	if err != nil || r == nil {
		return app.Operation{Relocation: &app.Relocation{}}, err
	}
	r.turn = t
	working, cancel := context.WithCancelCause(ctx)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		r.watch(working, cancel)
	}()
	err = r.work(working)
	why := context.Cause(working)
	cancel(nil)
	<-watching
	if err != nil && (errors.Is(why, errTakenOver) || errors.Is(why, errTurned)) {
		err = why
	}
	var unsure *unsure // then it may be us whom it is refused for
	if err != nil && ctx.Err() == nil && !errors.Is(err, errTakenOver) && !errors.Is(err, errTurned) && !errors.As(err, &unsure) {
		err = r.refused(ctx, err)
	}
	return r.recorded(), err
}

// takeOver raises the generation, and so shuts out whoever worked on the
// relocation before. It returns nil when it has ended.
func (m *Mover) takeOver(ctx context.Context, id app.OperationID) (*run, error) {
	op, err := m.registry.Operation(ctx, id)
	if errors.Is(err, app.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !op.State.Open() {
		return nil, nil
	}
	if op.Relocation == nil {
		return nil, fmt.Errorf("operation %s says nothing of a relocation: %w", id, app.ErrInvalid)
	}
	from := op.Relocation.Generation
	r := &run{m: m, op: op, recording: make(chan struct{}, 1)}
	rel := *op.Relocation
	r.op.Relocation = &rel
	r.source, r.sourceErr = m.place(ctx, op.OrganizationID, rel.Source)
	r.target, r.targetErr = m.place(ctx, op.OrganizationID, rel.Target)
	// A registry that was restored from a backup may know less than the clusters.
	rel.Generation = max(from, r.source.generation(ctx), r.target.generation(ctx)) + 1
	r.source.ns.Placement.Generation = rel.Generation
	r.target.ns.Placement.Generation = rel.Generation
	now, err := m.registry.NoteRelocation(ctx, r.op, from, m.clock())
	if errors.Is(err, app.ErrStale) {
		return nil, errTakenOver
	}
	if err != nil {
		return nil, err
	}
	r.op.State, r.op.Error = now.State, now.Error
	return r, nil
}

// rest waits before the next try, not longer than until somebody gives the
// relocation up, and reports whether there is a next try.
func (m *Mover) rest(ctx context.Context, id app.OperationID, d time.Duration) bool {
	end := m.clock().Add(d)
	for {
		left := end.Sub(m.clock())
		if left <= 0 {
			return true
		}
		if !sleep(ctx, min(left, noteEvery)) {
			return false
		}
		if op, err := m.registry.Operation(ctx, id); err == nil && op.State.Undoing() {
			return true
		}
	}
}

// sleep waits, and reports whether the context lasted.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
