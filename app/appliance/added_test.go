package appliance_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"tenantry/app"
	"tenantry/app/appliance"
	"tenantry/app/config"
	"tenantry/app/sqlite"
	"tenantry/app/tenancy"
)

var operator = app.Actor{Kind: app.AsOperator}

func appear(t *testing.T, cfg config.Config) *appliance.Appliance {
	t.Helper()
	a, err := appliance.Open(t.Context(), cfg, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func create(t *testing.T, a *appliance.Appliance, name, cluster string) {
	t.Helper()
	_, err := a.Tenancy.Create(t.Context(), operator, tenancy.CreateInput{Name: name, Cluster: cluster,
		Owner: &tenancy.OwnerInput{Email: name + "@x.example", Password: "correct horse battery"}})
	if err != nil {
		t.Fatal(err)
	}
}

func code(err error) string {
	var told *app.Error
	if errors.As(err, &told) {
		return told.Code
	}
	return ""
}

// A cluster goes from the configuration into the registry with all that is in it.
// One that is not the one, or not all of it, is refused.
func TestClusterLeavesTheConfiguration(t *testing.T) {
	t.Parallel()
	data, elsewhere := t.TempDir(), t.TempDir()
	both := configured(t, "TENANTRY_DATA_DIR="+data, "TENANTRY_CLUSTERS_DEFAULT_SHARDS=2", "TENANTRY_CLUSTERS_OLD_URL=sqlite:"+elsewhere)
	a := appear(t, both)
	create(t, a, "one", "old")
	create(t, a, "two", "default")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = appear(t, configured(t, "TENANTRY_DATA_DIR="+data, "TENANTRY_CLUSTERS_DEFAULT_SHARDS=2"))
	add := func(name, dir string) error {
		_, err := a.Tenancy.AddCluster(context.Background(), operator, tenancy.AddClusterInput{Name: name, URL: "sqlite:" + dir}, false)
		return err
	}
	if err := add("new", elsewhere); code(err) != "cluster_place_occupied" {
		t.Errorf("the data under another name: %v", err)
	}
	if err := add("old", filepath.Join(data, "empty")); code(err) != "cluster_place_wrong" {
		t.Errorf("the name without its data: %v", err)
	}
	if _, err := a.Tenancy.Placement(t.Context(), operator, "one"); !errors.Is(err, app.ErrUnavailable) {
		t.Errorf("meanwhile: %v", err)
	}
	if err := add("old", elsewhere); err != nil {
		t.Fatal(err)
	}
	if p, err := a.Tenancy.Placement(t.Context(), operator, "one"); err != nil || p.Cluster != "old" {
		t.Errorf("the organization is %+v (%v)", p, err)
	}
	// The folder is held for it.
	var held *appliance.HeldError
	if _, err := open(t, configured(t, "TENANTRY_DATA_DIR="+t.TempDir(), "TENANTRY_CLUSTERS_DEFAULT_URL=sqlite:"+elsewhere)); !errors.As(err, &held) {
		t.Errorf("another server opened the folder: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, both); err == nil || !strings.Contains(err.Error(), "clusters.old: the cluster old was added while servers ran") {
		t.Errorf("in both: %v", err)
	}
}

// One that cannot be opened is no reason not to start, and is opened when it can.
func TestAddedClusterThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	data, elsewhere := t.TempDir(), t.TempDir()
	cfg := configured(t, "TENANTRY_DATA_DIR="+data, "TENANTRY_CLUSTERS_DEFAULT_SHARDS=2")
	a := appear(t, cfg)
	if _, err := a.Tenancy.AddCluster(t.Context(), operator, tenancy.AddClusterInput{Name: "far", URL: "sqlite:" + elsewhere}, false); err != nil {
		t.Fatal(err)
	}
	create(t, a, "one", "far")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	other, err := sqlite.OpenFolder(elsewhere, sqlite.FolderOptions{}) // somebody else's, for a while
	if err != nil {
		t.Fatal(err)
	}
	a = appear(t, cfg)
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := a.Tenancy.Placement(t.Context(), operator, "one"); !errors.Is(err, app.ErrUnavailable) || strings.Contains(err.Error(), "sqlite:") {
		t.Errorf("its organization: %v", err)
	}
	views, err := a.Tenancy.Clusters(t.Context(), operator)
	if err != nil || len(views) != 2 || views[1].Name != "far" || views[1].Health == nil || !views[1].Added {
		t.Errorf("the list: %+v (%v)", views, err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if p, err := a.Tenancy.Placement(t.Context(), operator, "one"); err != nil || p.Cluster != "far" {
		t.Errorf("when it is back: %+v (%v)", p, err)
	}
}
