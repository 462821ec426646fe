package mongodb

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := mongotest.Shared(t, mongotest.Standalone)
	metrics := NewMetrics()
	reader := prometheus.NewRegistry()
	reader.MustRegister(metrics)
	// value sums the samples of a metric with these labels; of a histogram, the
	// count.
	value := func(name string, labels ...string) (sum float64) {
		t.Helper()
		families, err := reader.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families {
			if family.GetName() != "tenantry_mongodb_"+name {
				continue
			}
		next:
			for _, m := range family.GetMetric() {
				var has []string
				for _, l := range m.GetLabel() {
					has = append(has, l.GetName()+"="+l.GetValue())
				}
				for _, l := range labels {
					if !strings.Contains(strings.Join(has, " ")+" ", l+" ") {
						continue next
					}
				}
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
		return sum
	}
	is := func(want float64, name string, labels ...string) {
		t.Helper()
		if got := value(name, labels...); got != want {
			t.Errorf("%s%v is %v, want %v", name, labels, got, want)
		}
	}

	c, err := OpenCluster(t.Context(), "eu", Options{URL: s.URL(s.Database(t)), Metrics: metrics})
	if err != nil {
		t.Fatal(err)
	}
	acme := place(t, c, "acme")
	if err := c.Provision(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	before := value("command_duration_seconds", "store=cluster eu", "command=insert", "outcome=ok")
	for _, id := range []string{"a", "b"} {
		if err := c.InsertDocument(t.Context(), acme, document(app.DocumentID(id), `{}`)); err != nil {
			t.Fatal(err)
		}
	}
	is(before+2, "command_duration_seconds", "store=cluster eu", "command=insert", "outcome=ok")
	if err := c.db.RunCommand(t.Context(), byID("no such command")).Err(); err == nil {
		t.Fatal("it is a command")
	}
	is(1, "command_duration_seconds", "store=cluster eu", "outcome=failed")
	is(value("command_duration_seconds"), "pool_wait_seconds", "store=cluster eu")
	is(0, "pool_in_use", "store=cluster eu")
	is(0, "pool_waiting", "store=cluster eu")
	if value("pool_connections", "store=cluster eu") < 1 {
		t.Error("no connection is open")
	}
	_ = c.Close()
	is(0, "pool_connections", "store=cluster eu")

	// What cannot be reached has failures, of a store of its own.
	away, err := OpenCluster(t.Context(), "us", Options{URL: "mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=200", Metrics: metrics})
	if err != nil {
		t.Fatal(err)
	}
	_ = away.Close()
	is(0, "pool_connections", "store=cluster us")
	is(0, "command_duration_seconds", "store=cluster us", "outcome=ok")
}
