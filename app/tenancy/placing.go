package tenancy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tenantry/app"
)

// Rule says where organizations go whose metadata has a value.
type Rule struct {
	Field, Value string
	// Clusters are those of which the least loaded is taken; none: the rule does
	// not say.
	Clusters []string
	// Isolation may be empty: the rule does not say.
	Isolation app.Isolation
}

// wish is where a new organization should go.
type wish struct {
	clusters  []string
	isolation app.Isolation
	// asked: an operator named the cluster, or the isolation, in the request.
	// What is asked for by name is done so, or not at all.
	askedCluster, askedIsolation bool
}

// wish reads the rules. A request goes before them.
func (s *Service) wish(metadata map[string]string, in CreateInput) wish {
	var w wish
	for _, r := range s.cfg.Rules {
		if v, there := metadata[r.Field]; !there || v != r.Value {
			continue
		}
		if w.clusters == nil && len(r.Clusters) > 0 {
			w.clusters = r.Clusters
		}
		if w.isolation == "" {
			w.isolation = r.Isolation
		}
	}
	if w.clusters == nil {
		w.clusters = s.cfg.Clusters
	}
	if w.isolation == "" {
		w.isolation = s.cfg.Isolation
	}
	w.clusters = s.insteadOf(w.clusters)
	if in.Cluster != "" {
		w.clusters, w.askedCluster = []string{in.Cluster}, true
	}
	if in.Isolation != "" {
		w.isolation, w.askedIsolation = in.Isolation, true
	}
	return w
}

// insteadOf replaces the clusters that are closing by those to which everybody
// goes instead.
func (s *Service) insteadOf(names []string) []string {
	var list []string
	for _, name := range names {
		if place, there := s.clusters.get(name); there && place.Closing && place.Instead != "" {
			name = place.Instead
		}
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// checkWish refuses what an operator asked for and cannot be had, whatever room
// there is.
func (s *Service) checkWish(w wish) error {
	if w.askedIsolation && !slices.Contains(app.Isolations(), w.isolation) {
		return app.Invalid("placement.isolation", "invalid_isolation", "The isolation is one of: "+words(app.Isolations())+".")
	}
	if !w.askedCluster {
		return nil
	}
	place, there := s.clusters.get(w.clusters[0])
	switch {
	case !there:
		return app.Invalid("placement.cluster", "unknown_cluster", "There is no cluster with this name.")
	case place.Closing:
		return app.Invalid("placement.cluster", "cluster_closing", "This cluster takes nobody any more.")
	case w.askedIsolation && !place.Allows(w.isolation):
		return app.Invalid("placement.isolation", "isolation_not_allowed",
			"This cluster allows organizations to be kept apart by: "+words(place.Isolations)+".")
	}
	return nil
}

func words[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = string(v)
	}
	return strings.Join(texts, ", ")
}

// locate decides where a new organization goes. recorded must be called when
// it is recorded there, or will not be: until then nobody else gets the last of
// a cluster's room.
func (s *Service) locate(ctx context.Context, org app.Organization, w wish) (p app.Placement, recorded func(bool), err error) {
	name, isolation, recorded, err := s.choose(ctx, w)
	if err != nil {
		return app.Placement{}, nil, err
	}
	place, there := s.clusters.get(name)
	if !there {
		recorded(false)
		return app.Placement{}, nil, app.Unavailable("The cluster "+name, nil)
	}
	p, err = place.Locate(org.ID, org.Slug, isolation)
	if err != nil {
		recorded(false)
		return app.Placement{}, nil, app.At("placement", err)
	}
	p.Cluster = name
	return p, recorded, nil
}

// choose finds the least loaded cluster that works and has room; when none has
// room for another collection, one for a shared organization.
func (s *Service) choose(ctx context.Context, w wish) (string, app.Isolation, func(bool), error) {
	if len(s.knownOf(w.clusters)) == 0 {
		s.log.Error("new organizations go to clusters that are not there, or that take nobody any more", "clusters", w.clusters)
		return "", "", nil, app.Unavailable("The cluster for new organizations", nil)
	}
	allowing := s.allowing(w.clusters, w.isolation)
	name, recorded, err := s.roomiest(ctx, allowing, w.isolation)
	if err != nil || name != "" {
		return name, w.isolation, recorded, err
	}
	if w.isolation == app.IsolationCollection && !w.askedIsolation {
		name, recorded, err = s.roomiest(ctx, s.allowing(w.clusters, app.IsolationShared), app.IsolationShared)
		if err != nil || name != "" {
			return name, app.IsolationShared, recorded, err
		}
	}
	return "", "", nil, s.noRoom(w, allowing)
}

func (s *Service) knownOf(names []string) []string {
	var known []string
	for _, name := range names {
		if place, there := s.clusters.get(name); there && !place.Closing {
			known = append(known, name)
		}
	}
	return known
}

func (s *Service) allowing(names []string, isolation app.Isolation) []string {
	return slices.DeleteFunc(s.knownOf(names), func(name string) bool {
		place, there := s.clusters.get(name)
		return !there || !place.Allows(isolation)
	})
}

// roomiest takes room in the least loaded of the clusters; no name where none
// has room. The one cluster of most installations is not looked at, unless it
// has a limit.
func (s *Service) roomiest(ctx context.Context, names []string, isolation app.Isolation) (string, func(bool), error) {
	if len(names) > 1 {
		var err error
		if names, err = s.tallies.byLoad(ctx, names); err != nil {
			return "", nil, err
		}
	}
	for _, name := range names {
		recorded, err := s.tallies.take(ctx, name, isolation)
		if err != nil || recorded != nil {
			return name, recorded, err
		}
	}
	return "", nil, nil
}

// noRoom says to an operator what they can do, and to everybody else that it is
// not their fault.
func (s *Service) noRoom(w wish, allowing []string) error {
	if len(allowing) == 0 {
		s.log.Error("no cluster for new organizations allows their isolation", "clusters", w.clusters, "isolation", w.isolation)
		detail := fmt.Sprintf("No cluster for this organization allows the isolation %q.", w.isolation)
		if w.askedIsolation {
			return app.Invalid("placement.isolation", "isolation_not_allowed", detail)
		}
		return app.Fail(app.ErrUnavailable, "namespaces_used_up", detail+" The operator has to change the configuration.")
	}
	if w.askedCluster || w.askedIsolation {
		return app.Fail(app.ErrConflict, "namespace_budget_full", fmt.Sprintf(
			`The cluster %s has as many collections and databases as its max_namespaces allows. `+
				`Take the isolation "shared" or another cluster, or raise clusters.%s.max_namespaces.`, strings.Join(allowing, ", "), allowing[0]))
	}
	s.log.Error("a new organization was refused: max_namespaces is used up", "clusters", allowing, "isolation", w.isolation)
	return app.Fail(app.ErrUnavailable, "namespaces_used_up",
		"There is no room for another organization right now. The operator has to make some.")
}
