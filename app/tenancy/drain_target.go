package tenancy

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"tenantry/app"
)

// noPlace says why there is no cluster for an organization.
type noPlaceError string

func (e noPlaceError) Error() string { return string(e) }

// newcomers are those who are not counted yet, by cluster: all of them, and those
// with a namespace of their own.
type newcomers struct{ all, own map[string]int64 }

// drainTarget decides where an organization goes that leaves a cluster: by the
// rules for new organizations, kept apart as it is; shared where there is no room
// for another collection. also are those whom a plan has sent somewhere already.
func (s *Service) drainTarget(ctx context.Context, org app.Organization, d app.Drain, also newcomers) (RelocateInput, error) {
	names := []string{d.To}
	if d.To == "" {
		names = s.wish(org.Metadata, CreateInput{}).clusters
	}
	names = slices.DeleteFunc(s.knownOf(names), func(name string) bool { return name == d.Cluster })
	if len(names) == 0 {
		return RelocateInput{}, noPlaceError("the placement has no other cluster for it; name one with --to, or change the placement")
	}
	isolations := []app.Isolation{org.Placement.Isolation}
	if org.Placement.Isolation == app.IsolationCollection {
		isolations = append(isolations, app.IsolationShared)
	}
	for _, isolation := range isolations {
		allowing := s.allowing(names, isolation)
		loads, err := s.tallies.loads(ctx, allowing)
		if err != nil {
			return RelocateInput{}, err
		}
		slices.SortStableFunc(allowing, func(a, b string) int {
			return cmp.Or(cmp.Compare(loads[a]/math.MaxInt64, loads[b]/math.MaxInt64), cmp.Compare(loads[a]+also.all[a], loads[b]+also.all[b]))
		})
		for _, name := range allowing {
			if own(isolation) {
				b, err := s.tallies.budget(ctx, name, countedFor)
				if err != nil {
					return RelocateInput{}, err
				}
				b.Used += also.own[name]
				if b.State() == BudgetFull {
					continue
				}
			}
			return RelocateInput{Cluster: name, Isolation: isolation}, nil
		}
	}
	return RelocateInput{}, noPlaceError(fmt.Sprintf("no room for it in isolation %q in: %s; raise a max_namespaces, or move it in another isolation yourself",
		org.Placement.Isolation, strings.Join(names, ", ")))
}
