package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tenantry/app"
)

// Placement says where new organizations go.
type Placement struct {
	Cluster   string   // or "": see [Config.PlacementClusters]
	Clusters  []string // the least loaded of these instead; or none
	Isolation string
	Rules     []string // see [Placement.Parsed]
}

// PlacementRule says where organizations go whose metadata has a value.
type PlacementRule struct {
	Field, Value string
	Clusters     []string // the least loaded of these; none: this is not said
	Isolation    string   // or "": this is not said
}

var isolations = []string{string(app.IsolationCollection), string(app.IsolationShared), string(app.IsolationDatabase)}

var placementRule = rule{`"FIELD=VALUE -> cluster=NAME isolation=ISOLATION" with one of the two or both; ` +
	`of several clusters, "cluster=NAME|NAME", the least loaded; the isolation is one of: ` + strings.Join(isolations, ", "), func(s string) bool {
	_, ok := parsePlacementRule(s)
	return ok
}}

// ruleForm takes any field and value that metadata can have, as long as
// neither has " -> " nor the field a "=".
var ruleForm = regexp.MustCompile(`^\s*([^=]*[^=\s])\s*=\s*(.*?\S)\s+->\s+(\S.*)$`)

func parsePlacementRule(s string) (PlacementRule, bool) {
	parts := ruleForm.FindStringSubmatch(s)
	if parts == nil {
		return PlacementRule{}, false
	}
	r := PlacementRule{Field: parts[1], Value: parts[2]}
	for _, to := range strings.Fields(parts[3]) {
		what, name, _ := strings.Cut(to, "=")
		switch {
		case what == "cluster" && r.Clusters == nil:
			r.Clusters = strings.Split(name, "|")
			for _, c := range r.Clusters {
				if !clusterName.check(c) {
					return r, false
				}
			}
		case what == "isolation" && r.Isolation == "" && slices.Contains(isolations, name):
			r.Isolation = name
		default:
			return r, false
		}
	}
	return r, true
}

// Parsed are the rules, in their order.
func (p Placement) Parsed() []PlacementRule {
	rules := make([]PlacementRule, len(p.Rules))
	for i, s := range p.Rules {
		rules[i], _ = parsePlacementRule(s) // Load has checked them
	}
	return rules
}

// PlacementClusters are those that new organizations go to where no rule says
// otherwise: the least loaded of them.
func (c Config) PlacementClusters() []string {
	if len(c.Placement.Clusters) > 0 {
		return c.Placement.Clusters
	}
	if c.Placement.Cluster != "" {
		return []string{c.Placement.Cluster}
	}
	if _, ok := c.Clusters[DefaultCluster]; ok {
		return []string{DefaultCluster}
	}
	return []string{c.firstCluster}
}

// mention is a place of the configuration that names a cluster.
type mention struct{ cluster, told string }

// CheckClusters refuses a placement that names a cluster which is neither in the
// configuration nor among the added ones. Load cannot: those that were added
// while a server ran are known to the registry alone.
func (c Config) CheckClusters(added []string) error {
	for _, m := range c.mentions {
		if _, configured := c.Clusters[m.cluster]; configured || slices.Contains(added, m.cluster) {
			continue
		}
		there := append(c.ClusterNames(), added...)
		slices.Sort(there)
		return fmt.Errorf("%s: there is no cluster %q; there are: %s", m.told, m.cluster, strings.Join(there, ", "))
	}
	return nil
}

// warnOfClusters is for those that the configuration does not have: they may have
// been added, which Load cannot know, or mistyped.
func (l *loader) warnOfClusters() {
	for _, m := range l.cfg.mentions {
		if _, configured := l.cfg.Clusters[m.cluster]; !configured {
			l.warnings = append(l.warnings, fmt.Sprintf(`%s: %q is no cluster of the configuration%s; if it was added with "tenantry cluster add", all is well, `+
				"else the server will not start", m.told, m.cluster, nearestOf(m.cluster, l.cfg.ClusterNames())))
		}
	}
}

// checkPlacement holds what the keys of the placement must have in common.
func (l *loader) checkPlacement() {
	p := &l.cfg.Placement
	mentioned := func(key string, names ...string) {
		for _, name := range names {
			l.cfg.mentions = append(l.cfg.mentions, mention{name, l.told(key)})
		}
	}
	if p.Cluster != "" {
		mentioned("placement.cluster", p.Cluster)
		if len(p.Clusters) > 0 {
			l.wrong("placement.clusters", "placement.cluster is set as well; take one away")
		}
	}
	mentioned("placement.clusters", p.Clusters...)
	usual := l.cfg.PlacementClusters()
	l.checkIsolation("placement.isolation", usual, p.Isolation)
	for _, r := range p.Parsed() {
		mentioned("placement.rules", r.Clusters...)
		clusters, isolation := r.Clusters, r.Isolation
		if len(clusters) == 0 {
			clusters = usual
		}
		if isolation == "" {
			isolation = p.Isolation
		}
		l.checkIsolation("placement.rules", clusters, isolation)
	}
}

// checkIsolation holds that the clusters which are known allow the isolation.
func (l *loader) checkIsolation(key string, clusters []string, isolation string) {
	for _, name := range clusters {
		c, known := l.cfg.Clusters[name]
		if known && len(c.Isolations) > 0 && !slices.Contains(c.Isolations, isolation) {
			blame := key
			if l.origins[key] == "" {
				blame = clustersSection + "." + name + ".isolations"
			}
			l.wrong(blame, "new organizations there would have the isolation %q, and clusters.%s.isolations allows: %s",
				isolation, name, strings.Join(c.Isolations, ", "))
		}
	}
}
