package web

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"tenantry/app/identity"
)

// docs/operation.md explains every figure that is made here, and none of a kind
// that is made here and is not there. Those of MongoDB are compared in package
// cli.
func TestMetricsPage(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := newMetrics(registry, Services{
		HashStats: func() identity.HashStats { return identity.HashStats{} },
		// As the command serve names them.
		Gauges: func(context.Context) []Gauge {
			return []Gauge{{Name: "storage_log_bytes"}, {Name: "storage_writes_waiting"}, {Name: "cluster_namespaces"}, {Name: "cluster_max_namespaces"}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.of("GET", "/").observe(200, 0)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, f := range families {
		there[f.GetName()] = true
	}
	raw, err := os.ReadFile(filepath.Join("..", "docs", "operation.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for name := range there {
		if strings.HasPrefix(name, "tenantry_") && !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/operation.md does not explain %s", name)
		}
	}
	for _, name := range regexp.MustCompile("`(tenantry_(?:http|password|storage|build)_[a-z_]+)`").FindAllStringSubmatch(page, -1) {
		if !there[name[1]] {
			t.Errorf("docs/operation.md explains %s, which there is not", name[1])
		}
	}
}

// docs/errors.md lists every code, as the table has them.
func TestErrorsPage(t *testing.T) {
	head, err := os.ReadFile(filepath.Join("testdata", "errors.md"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.Write(head)
	b.WriteString("| code | status | meaning |\n| --- | --- | --- |\n")
	for _, c := range Codes {
		fmt.Fprintf(&b, "| `%s` | %d | %s |\n", c.Name, c.Status, c.Title)
	}
	path := filepath.Join("..", "docs", "errors.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != b.String() {
		t.Error("docs/errors.md is not what the table of codes says; write it anew with: go test ./web -run TestErrorsPage -update")
	}
}
