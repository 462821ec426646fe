package sqlite

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tenantry/app"
)

// BenchmarkOrganizations is what one more organization costs beside those that
// are there already: its table, its first document, and reading that.
// TENANTRY_BENCH_LARGE=1 adds 100,000, which take minutes to make.
func BenchmarkOrganizations(b *testing.B) {
	sizes := []int{100, 1_000, 10_000}
	if os.Getenv("TENANTRY_BENCH_LARGE") != "" {
		sizes = append(sizes, 100_000)
	}
	for _, n := range sizes {
		b.Run(fmt.Sprintf("beside=%d", n), func(b *testing.B) {
			ctx := context.Background()
			c := openTestCluster(b, b.TempDir(), ClusterOptions{})
			all := provisionMany(b, c, n)
			var provision, insert, get, again, rename time.Duration
			i := 0
			for b.Loop() {
				ns := located(b, c, fmt.Sprintf("new-%d", i))
				i++
				begin := time.Now()
				must(b, c.Provision(ctx, ns))
				provision += lap(&begin)
				must(b, c.InsertDocument(ctx, ns, testDocument("first")))
				insert += lap(&begin)
				_, err := c.Document(ctx, ns, "first")
				get += lap(&begin)
				must(b, err)
				_, err = c.Document(ctx, all[i%len(all)], "first")
				again += lap(&begin)
				must(b, err)
			}
			for j := range 10 {
				begin := time.Now()
				must(b, c.Rename(ctx, all[j], all[j].Placement.Collection+"_x", 2))
				rename += lap(&begin)
			}
			per := func(d time.Duration, n int) float64 { return float64(d.Microseconds()) / float64(n) }
			b.ReportMetric(per(provision, i), "provision-µs")
			b.ReportMetric(per(insert, i), "insert-µs")
			b.ReportMetric(per(get, i), "get-µs")
			b.ReportMetric(per(again, i), "get-other-µs")
			b.ReportMetric(per(rename, 10), "rename-µs")
			b.ReportMetric(float64(resident())/1e6, "resident-MB")
		})
	}
}

// BenchmarkInsert is durable creates, by clients at once; with one there is
// one commit for each.
func BenchmarkInsert(b *testing.B) {
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			ctx := context.Background()
			c := openTestCluster(b, b.TempDir(), ClusterOptions{Shards: 1})
			ns := provisioned(b, c, "acme")
			data := []byte(`{"text":"` + strings.Repeat("x", 480) + `"}`)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var wait sync.WaitGroup
			for range clients {
				wait.Go(func() {
					for left.Add(-1) >= 0 {
						d := testDocument(app.NewID[app.DocumentID]())
						d.Data = data
						must(b, c.InsertDocument(ctx, ns, d))
					}
				})
			}
			wait.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "inserts/s")
		})
	}
}

// BenchmarkDocument is point reads of one organization among 1,000.
func BenchmarkDocument(b *testing.B) {
	ctx := context.Background()
	c := openTestCluster(b, b.TempDir(), ClusterOptions{})
	all := provisionMany(b, c, 1_000)
	for _, spread := range []int{1, 1_000} {
		b.Run(fmt.Sprintf("organizations=%d", spread), func(b *testing.B) {
			i := 0
			for b.Loop() {
				i++
				_, err := c.Document(ctx, all[i%spread], "first")
				must(b, err)
			}
		})
	}
}

// BenchmarkStats counts an organization with 100,000 documents.
func BenchmarkStats(b *testing.B) {
	ctx := context.Background()
	c := openTestCluster(b, b.TempDir(), ClusterOptions{Shards: 1})
	ns := provisioned(b, c, "acme")
	concurrently(100_000, func(i int) {
		must(b, c.InsertDocument(ctx, ns, testDocument(app.NewID[app.DocumentID]())))
	})
	for b.Loop() {
		_, err := c.Stats(ctx, ns)
		must(b, err)
	}
}

// provisionMany makes n organizations with a document each.
func provisionMany(b *testing.B, c *Cluster, n int) []app.Namespace {
	b.Helper()
	ctx := context.Background()
	all := make([]app.Namespace, n)
	concurrently(n, func(i int) {
		all[i] = provisioned(b, c, fmt.Sprintf("some-company-%06d", i))
		must(b, c.InsertDocument(ctx, all[i], testDocument("first")))
	})
	return all
}

func concurrently(n int, f func(i int)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range 64 {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wait.Wait()
}

func must(b *testing.B, err error) {
	if err != nil {
		b.Helper()
		b.Error(err)
	}
}

func lap(since *time.Time) time.Duration {
	now := time.Now()
	d := now.Sub(*since)
	*since = now
	return d
}

// resident is the process's memory in bytes, where the system says.
func resident() int64 {
	runtime.GC()
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(raw), &size, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
