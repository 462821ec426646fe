package config

import (
	"path/filepath"
	"strings"

	"tenantry/app"
)

// AddedCluster is what a cluster is given that is added while servers run. What
// is zero is as a cluster of the configuration that says nothing of it.
type AddedCluster struct {
	Name          string
	URL           string
	Shards        int
	Isolations    []string
	MaxNamespaces int
}

// CheckAdded gives the cluster with its defaults. The error is app.FieldErrors,
// and says nothing of what the URL is.
func CheckAdded(a AddedCluster) (Cluster, error) {
	c := defaultCluster(a.Name)
	var fields app.FieldErrors
	if !clusterName.check(a.Name) {
		fields = append(fields, app.FieldError{Location: "name", Code: "invalid_name",
			Message: "A cluster's name must be " + clusterName.allowed + "."})
	}
	given := map[string]any{"url": a.URL}
	if a.Shards != 0 {
		given["shards"] = int64(a.Shards)
	}
	if len(a.Isolations) > 0 {
		given["isolations"] = a.Isolations
	}
	if a.MaxNamespaces != 0 {
		given["max_namespaces"] = int64(a.MaxNamespaces)
	}
	held := Config{Clusters: map[string]Cluster{a.Name: c}}
	for _, k := range ClusterKeys(a.Name) {
		field := k.Name[strings.LastIndexByte(k.Name, '.')+1:]
		raw, is := given[field]
		if !is {
			continue
		}
		v := k.value(&held)
		if err := v.set(raw); err != nil {
			fields = append(fields, app.FieldError{Location: field, Code: "invalid_" + field, Message: "It must be " + v.allowed + "."})
		}
	}
	if len(fields) > 0 {
		return c, fields
	}
	return held.Clusters[a.Name], nil
}

// Occupies names what is at the place that a storage URL names already: the
// registry, or one of the clusters, which are given as URLs by their names.
// Empty: nothing.
func (c Config) Occupies(url string, clusters map[string]string) string {
	place := c.placeOf(url, clusterDatabase)
	for _, name := range sortedKeys(clusters) {
		if c.placeOf(clusters[name], clusterDatabase) == place {
			return "the cluster " + name
		}
	}
	if place == c.registryPlace() {
		return "the registry"
	}
	return ""
}

// ClusterPlace is where the store of a cluster is: the same for URLs that differ
// in no more than who signs in, and how. It is not for showing.
func (c Config) ClusterPlace(url string) string { return c.placeOf(url, clusterDatabase) }

// The databases of MongoDB URLs that name none.
const (
	clusterDatabase  = "tenantry_data"
	registryDatabase = "tenantry"
)

// registryPlace is where no cluster can be.
func (c Config) registryPlace() string {
	place := c.placeOf(c.Registry.URL, registryDatabase)
	if !IsMongoDB(c.Registry.URL) {
		place = filepath.Dir(place)
	}
	return place
}

// Secret reports whether a URL has something in it that must not be seen, such
// as in the list of processes.
func Secret(url string) bool { return withoutPassword(url) != url }
