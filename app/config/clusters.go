package config

import (
	"cmp"
	"fmt"
	"strings"
)

const clustersSection = "clusters"

// clusterIn gives the name of the cluster that a key is about.
func clusterIn(key string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(key, clustersSection+".")
	name, _, _ = strings.Cut(rest, ".")
	return name, ok
}

// defineClusters replaces the one default cluster by those that are named.
func (l *loader) defineClusters(file string, settings []setting, env []variable) {
	named := map[string]string{} // where each is named first
	var names []string
	add := func(key, where string) {
		name, ok := clusterIn(key)
		if _, known := named[name]; ok && !known {
			named[name], names = where, append(names, name)
		}
	}
	for _, s := range settings {
		if _, empty := s.raw.(emptySection); empty || strings.Count(s.name, ".") > 1 {
			add(s.name, fmt.Sprintf("%s:%d", file, s.line))
		}
	}
	for _, v := range env {
		add(v.key, v.name)
	}
	if len(names) > 0 {
		l.cfg.Clusters, l.cfg.firstCluster = map[string]Cluster{}, ""
	} else {
		names = []string{DefaultCluster}
	}
	for _, name := range names {
		if !clusterName.check(name) {
			l.problem("%s: %s.%s: a cluster's name must be %s", named[name], clustersSection, name, clusterName.allowed)
			l.misnamed = append(l.misnamed, name)
			continue
		}
		l.cfg.Clusters[name] = defaultCluster(name)
		l.cfg.firstCluster = cmp.Or(l.cfg.firstCluster, name)
		l.keys = append(l.keys, ClusterKeys(name)...)
	}
}

// ClusterKeys are the keys of the cluster of this name.
func ClusterKeys(name string) []Key {
	field := func(of func(*Cluster) value) func(*Config) value {
		return func(c *Config) value {
			// A map's values have no address: each access works on a copy.
			v := of(&Cluster{})
			v.set = func(raw any) error {
				cluster := c.Clusters[name]
				if err := of(&cluster).set(raw); err != nil {
					return err
				}
				c.Clusters[name] = cluster
				return nil
			}
			v.get = func() any {
				cluster := c.Clusters[name]
				return of(&cluster).get()
			}
			return v
		}
	}
	d := defaultCluster(name)
	return []Key{
		{Name: "clusters." + name + ".url", Default: d.URL, Storage: true,
			value: field(func(c *Cluster) value { return textValue(&c.URL, storage) }),
			Help:  "A folder of database files, relative to the data folder, or a MongoDB database (without\na name in the URL: \"tenantry_data\"). With no [clusters] there is one named default, in\nclusters/default."},
		{Name: "clusters." + name + ".shards", Default: int64(d.Shards),
			value: field(func(c *Cluster) value { return intValue(&c.Shards, 1, 1024) }),
			Help:  "Over how many files of a folder new organizations are spread. When each has 800, as many files\nmore are begun: creating one takes as long at 100,000 as at 1,000. Those that exist\nstay where they are until \"tenantry org relocate\" moves them."},
		{Name: "clusters." + name + ".isolations", Default: isolations,
			value: field(func(c *Cluster) value { return listValue(&c.Isolations, among(isolations)) }),
			Help:  "How organizations may be kept apart here. Those that exist stay as they are."},
		{Name: "clusters." + name + ".max_namespaces", Default: int64(d.MaxNamespaces),
			value: field(func(c *Cluster) value { return intValue(&c.MaxNamespaces, 0, 10_000_000) }),
			Help:  "At most this many organizations have a collection or a database of their own here; those\nafter them share one collection. 0: no limit, which suits a folder. For MongoDB a number\nthat its disk and memory carry, since each collection costs it files: see docs/mongodb.md."},
	}
}
