package config_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"tenantry/app"
	"tenantry/app/config"
)

func TestCheckAdded(t *testing.T) {
	t.Parallel()
	got, err := config.CheckAdded(config.AddedCluster{Name: "eu-1", URL: "mongodb://h/d", MaxNamespaces: 7, Isolations: []string{"shared"}})
	want := config.Cluster{URL: "mongodb://h/d", Shards: 64, Isolations: []string{"shared"}, MaxNamespaces: 7}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v (%v), want %+v", got, err, want)
	}
	for location, a := range map[string]config.AddedCluster{
		"name":           {Name: "Eu", URL: "sqlite:eu"},
		"url":            {Name: "eu", URL: "mongodb://u:geheim@h:port/"},
		"shards":         {Name: "eu", URL: "sqlite:eu", Shards: 1025},
		"isolations":     {Name: "eu", URL: "sqlite:eu", Isolations: []string{"shared", "none"}},
		"max_namespaces": {Name: "eu", URL: "sqlite:eu", MaxNamespaces: -1},
	} {
		_, err := config.CheckAdded(a)
		var fields app.FieldErrors
		if !errors.As(err, &fields) || len(fields) != 1 || fields[0].Location != location || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", location, err)
		}
	}
}

func TestOccupies(t *testing.T) {
	t.Parallel()
	cfg, _, err := config.Load(config.Options{File: write(t, "registry.url = \"mongodb://a,b/\"\n")})
	if err != nil {
		t.Fatal(err)
	}
	clusters := map[string]string{"eu": "mongodb://u:p@b,a", "near": "sqlite:clusters/near"}
	for url, want := range map[string]string{
		"mongodb://a,b/tenantry": "the registry", "mongodb://x:y@A,B/tenantry_data?tls=true": "the cluster eu", "mongodb://a,b/other": "",
		"sqlite:clusters/../clusters/near": "the cluster near", "sqlite:clusters/far": "",
	} {
		if got := cfg.Occupies(url, clusters); got != want {
			t.Errorf("%s is the place of %q, want %q", url, got, want)
		}
	}
}

// A cluster that is not configured may have been added, or be mistyped.
func TestWarnsOfClustersThatAreNotConfigured(t *testing.T) {
	t.Parallel()
	_, report, err := config.Load(config.Options{File: write(t, "[clusters.east]\n[clusters.west]\n[placement]\nclusters = [\"west\", \"eats\"]\n")})
	said := strings.Join(report.Warnings, "\n")
	for _, part := range []string{"t.toml:4: placement.clusters", `"eats" is no cluster of the configuration; the nearest known is "east"`, "tenantry cluster add"} {
		if !strings.Contains(said, part) {
			t.Errorf("the warnings do not say %q: %s (%v)", part, said, err)
		}
	}
}
