package tenancy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"tenantry/app"
)

const (
	// countedFor is how long a count is relied on. Within it, this server adds
	// what it makes itself, and misses what others make.
	countedFor = 2 * time.Second
	// counting bounds a count, and the question how a cluster is.
	counting = 2 * time.Second
	// closeToFull is from when on a namespace is counted and recorded without
	// another of this server coming between. It must be more than all other
	// servers make within countedFor.
	closeToFull = 512
	// lowFrom is the part of the budget from which on it is said to be low,
	// in percent.
	lowFrom = 80
)

// BudgetState says how much of a cluster's namespaces is used.
type BudgetState string

const (
	BudgetOK   BudgetState = "ok"
	BudgetLow  BudgetState = "low"  // 80 % and more
	BudgetFull BudgetState = "full" // new organizations are shared
)

// Budget is how many of its namespaces a cluster has used.
type Budget struct {
	Max int // 0: no limit
	// Used is by organizations with a collection or a database of their own, and
	// by the other place of those that are being moved.
	Used int64
}

// State is BudgetOK where there is no limit.
func (b Budget) State() BudgetState {
	switch limit := int64(b.Max); {
	case limit == 0 || b.Used*100 < limit*lowFrom:
		return BudgetOK
	case b.Used < limit:
		return BudgetLow
	default:
		return BudgetFull
	}
}

// Budgets are those of the clusters that have a limit. They may be some seconds
// old.
func (s *Service) Budgets(ctx context.Context) (map[string]Budget, error) {
	budgets := map[string]Budget{}
	for name, place := range s.clusters.All() {
		if place.MaxNamespaces == 0 {
			continue
		}
		b, err := s.tallies.budget(ctx, name, countedFor)
		if err != nil {
			return nil, err
		}
		budgets[name] = b
	}
	return budgets, nil
}

// tallies remember how many organizations each cluster has, so that creating
// one does not count them.
type tallies struct {
	registry counted
	clusters *Clusters
	log      *slog.Logger

	mu sync.Mutex
	of map[string]*tally
}

// tally is of one cluster.
type tally struct {
	name string
	// gate is held from the count to the record of the last few namespaces.
	gate chan struct{}

	// asking is held while the registry is asked: the others wait and take what
	// was found.
	asking sync.Mutex

	mu      sync.Mutex
	counted time.Time // when own was; zero: never
	own     int64     // organizations with a namespace of their own
	weighed time.Time // when all and failing were
	all     int64     // organizations
	failing bool
	toldOf  BudgetState
}

func newTallies(registry counted, clusters *Clusters, log *slog.Logger) *tallies {
	return &tallies{registry: registry, clusters: clusters, log: log, of: map[string]*tally{}}
}

func (t *tallies) get(name string) *tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of[name] == nil {
		t.of[name] = &tally{name: name, gate: make(chan struct{}, 1)}
	}
	return t.of[name]
}

// own reports whether the isolation takes a namespace of the budget.
func own(isolation app.Isolation) bool { return isolation != app.IsolationShared }

// take takes room for one more organization. recorded is nil where there is
// none; else it must be called with whether the organization was recorded. Its
// first call counts.
func (t *tallies) take(ctx context.Context, name string, isolation app.Isolation) (recorded func(bool), err error) {
	k := t.get(name)
	note := once(func(done bool) {
		if done {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.all++
			if own(isolation) {
				k.own++
			}
		}
	})
	place, _ := t.clusters.get(name)
	if place.MaxNamespaces == 0 || !own(isolation) {
		return note, nil
	}
	b, err := t.budget(ctx, name, countedFor)
	if err != nil || b.State() == BudgetFull {
		return nil, err
	}
	if int64(b.Max)-b.Used > closeToFull {
		return note, nil
	}
	select {
	case k.gate <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	open := sync.OnceFunc(func() { <-k.gate })
	if b, err = t.budget(ctx, name, 0); err != nil || b.State() == BudgetFull {
		open()
		return nil, err
	}
	return func(done bool) { note(done); open() }, nil
}

func once(f func(bool)) func(bool) {
	var first sync.Once
	return func(done bool) { first.Do(func() { f(done) }) }
}

// budget counts what is used, unless that was done no longer than fresh ago.
func (t *tallies) budget(ctx context.Context, name string, fresh time.Duration) (Budget, error) {
	place, _ := t.clusters.get(name)
	k := t.get(name)
	err := k.refresh(ctx, &k.counted, fresh, func(ctx context.Context) (func(), error) {
		var sum int64
		for _, isolation := range []app.Isolation{app.IsolationCollection, app.IsolationDatabase} {
			n, err := t.registry.CountOrganizations(ctx, app.OrganizationQuery{Cluster: name, Isolation: isolation})
			if err != nil {
				return nil, fmt.Errorf("count the namespaces of cluster %s: %w", name, err)
			}
			sum += n
		}
		held, err := t.heldByMoves(ctx, name)
		return func() { k.own = sum + held }, err
	})
	if err != nil {
		return Budget{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	b := Budget{Max: place.MaxNamespaces, Used: k.own}
	t.tell(k, b)
	return b, nil
}

// weigh counts all organizations of a cluster and asks how it is, unless that
// was done just now.
func (t *tallies) weigh(ctx context.Context, name string) error {
	k := t.get(name)
	return k.refresh(ctx, &k.weighed, countedFor, func(ctx context.Context) (func(), error) {
		n, err := t.registry.CountOrganizations(ctx, app.OrganizationQuery{Cluster: name})
		if err != nil {
			return nil, fmt.Errorf("count the organizations of cluster %s: %w", name, err)
		}
		place, there := t.clusters.get(name)
		failing := !there || place.Health(ctx) != nil
		return func() { k.all, k.failing = n, failing }, nil
	})
}

// refresh asks anew when that was done longer than fresh ago.
func (k *tally) refresh(ctx context.Context, at *time.Time, fresh time.Duration, ask func(context.Context) (func(), error)) error {
	k.asking.Lock()
	defer k.asking.Unlock()
	k.mu.Lock()
	still := !at.IsZero() && time.Since(*at) < fresh
	k.mu.Unlock()
	if still {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, counting)
	defer cancel()
	began := time.Now()
	keep, err := ask(ctx)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	keep()
	*at = began
	return nil
}

// tell warns when the budget gets low, and again when it is full: once each,
// until there is room again.
func (t *tallies) tell(k *tally, b Budget) {
	state := b.State()
	if state == k.toldOf || state == BudgetLow && k.toldOf == BudgetFull {
		return
	}
	if state != BudgetOK {
		t.log.Warn("the namespaces of a cluster are running out: new organizations will be shared or go elsewhere",
			"cluster", k.name, "used", b.Used, "max_namespaces", b.Max, "state", state)
	}
	k.toldOf = state
}

// byLoad sorts clusters: those that work before those that do not, then by the
// number of their organizations.
func (t *tallies) byLoad(ctx context.Context, names []string) ([]string, error) {
	loads, err := t.loads(ctx, names)
	if err != nil {
		return nil, err
	}
	sorted := slices.Clone(names)
	slices.SortStableFunc(sorted, func(a, b string) int { return cmp.Compare(loads[a], loads[b]) })
	return sorted, nil
}

// loads counts the organizations of clusters; the most there can be where one
// does not work.
func (t *tallies) loads(ctx context.Context, names []string) (map[string]int64, error) {
	errs := make([]error, len(names))
	var weighing sync.WaitGroup
	for i, name := range names {
		weighing.Go(func() { errs[i] = t.weigh(ctx, name) })
	}
	weighing.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	loads := make(map[string]int64, len(names))
	for _, name := range names {
		k := t.get(name)
		k.mu.Lock()
		loads[name] = k.all
		if k.failing {
			loads[name] = math.MaxInt64
		}
		k.mu.Unlock()
	}
	return loads, nil
}
