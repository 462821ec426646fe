package cli_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"tenantry/app/mongodb/mongotest"
	"tenantry/app/servertest"
)

// docs/operation.md explains every figure that a server on both engines has,
// and no other.
func TestMetricsPage(t *testing.T) {
	mongo := mongotest.Shared(t, mongotest.Standalone)
	admin := servertest.FreeAddress(t)
	serve(t, dataDir(t), "TENANTRY_CLUSTERS_DEFAULT_URL="+mongo.URL(mongo.Database(t)), "TENANTRY_ADMIN_LISTEN="+admin,
		"TENANTRY_CLUSTERS_DEFAULT_MAX_NAMESPACES=100")
	resp, err := http.Get("http://" + admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	figures, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "docs", "operation.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := func(expression string, in []byte) (list []string) {
		for _, m := range regexp.MustCompile(expression).FindAllSubmatch(in, -1) {
			list = append(list, string(m[1]))
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	there, explained := names(`(?m)^# TYPE (tenantry_\w+) `, figures), names("`(tenantry_[a-z_]+)`", page)
	if !slices.Equal(there, explained) {
		t.Errorf("there is   %q,\nexplained: %q", there, explained)
	}
}
