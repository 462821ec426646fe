package sqlite

import (
	"context"
	"database/sql"
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
// are there already, in each isolation: to make it, its first document, and
// reading that; reading others; and the cluster's start, memory and size.
// TENANTRY_BENCH_LARGE=1 adds 100,000, which take minutes to make, and with a
// file for each an hour.
func BenchmarkOrganizations(b *testing.B) {
	sizes := []int{10, 1_000, 10_000}
	if os.Getenv("TENANTRY_BENCH_LARGE") != "" {
		sizes = append(sizes, 100_000)
	}
	for _, isolation := range isolations {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/beside=%d", isolation, n), func(b *testing.B) {
				ctx := context.Background()
				dir := b.TempDir()
				c := openTestCluster(b, dir, ClusterOptions{})
				begin := time.Now()
				all := provisionMany(b, c, isolation, n)
				fill := lap(&begin)
				var provision, insert, get, again, list, drop time.Duration
				i := 0
				for b.Loop() {
					begin := time.Now()
					ns := locatedIn(b, c, isolation, fmt.Sprintf("new-%d", i))
					must(b, c.Provision(ctx, ns))
					provision += lap(&begin)
					must(b, c.InsertDocument(ctx, ns, testDocument("first")))
					insert += lap(&begin)
					_, err := c.Document(ctx, ns, "first")
					get += lap(&begin)
					must(b, err)
					_, err = c.Document(ctx, all[i*7919%len(all)], "first")
					again += lap(&begin)
					must(b, err)
					_, err = c.ListDocuments(ctx, all[i*7919%len(all)], app.DocumentQuery{Type: "note", Limit: 50})
					list += lap(&begin)
					must(b, err)
					must(b, c.Drop(ctx, ns))
					drop += lap(&begin)
					i++
				}
				memory := resident()
				begin = time.Now()
				_, err := c.Usage(ctx)
				usage := lap(&begin)
				must(b, err)
				_, err = c.Namespaces(ctx)
				namespaces := lap(&begin)
				must(b, err)
				closeTestCluster(b, c)
				begin = time.Now()
				c = openTestCluster(b, dir, ClusterOptions{})
				_, err = c.Document(ctx, all[0], "first")
				start := lap(&begin)
				must(b, err)
				per := func(d time.Duration, n int) float64 { return float64(d.Microseconds()) / float64(n) }
				b.ReportMetric(per(fill, n), "fill-µs")
				b.ReportMetric(per(provision, i), "provision-µs")
				b.ReportMetric(per(insert, i), "insert-µs")
				b.ReportMetric(per(get, i), "get-µs")
				b.ReportMetric(per(again, i), "get-other-µs")
				b.ReportMetric(per(list, i), "list-other-µs")
				b.ReportMetric(per(drop, i), "drop-µs")
				b.ReportMetric(float64(start.Microseconds())/1000, "start-ms")
				b.ReportMetric(float64(usage.Microseconds())/1000, "usage-ms")
				b.ReportMetric(float64(namespaces.Microseconds())/1000, "namespaces-ms")
				b.ReportMetric(float64(memory)/1e6, "resident-MB")
				b.ReportMetric(float64(folderSize(b, dir))/1e6, "disk-MB")
			})
		}
	}
}

// folderSize is how many bytes the files of a folder take on disk.
func folderSize(b *testing.B, dir string) (sum int64) {
	b.Helper()
	entries, err := os.ReadDir(dir)
	must(b, err)
	for _, e := range entries {
		info, err := e.Info()
		must(b, err)
		sum += info.Size()
	}
	return sum
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
	all := provisionMany(b, c, app.IsolationCollection, 1_000)
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
func provisionMany(b *testing.B, c *Cluster, isolation app.Isolation, n int) []app.Namespace {
	b.Helper()
	ctx := context.Background()
	all := make([]app.Namespace, n)
	concurrently(n, func(i int) {
		all[i] = provisionedIn(b, c, isolation, fmt.Sprintf("some-company-%06d", i))
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

// BenchmarkCopy is documents read from one organization and stored in another,
// 500 at a time, by the ports and by bare statements on the same kind of file.
func BenchmarkCopy(b *testing.B) {
	const documents, batch = 20_000, 500
	ctx := context.Background()
	c := openTestCluster(b, b.TempDir(), ClusterOptions{Shards: 1})
	source := provisionedIn(b, c, app.IsolationCollection, "acme")
	data := []byte(`{"text":"` + strings.Repeat("x", 480) + `"}`)
	concurrently(documents, func(int) {
		d := testDocument(app.NewID[app.DocumentID]())
		d.Data = data
		must(b, c.InsertDocument(ctx, source, d))
	})
	for _, to := range isolations {
		b.Run("to="+string(to), func(b *testing.B) {
			for b.Loop() {
				into := openTestCluster(b, b.TempDir(), ClusterOptions{Shards: 1})
				target := locatedIn(b, into, to, "acme")
				must(b, into.Receive(ctx, target))
				for after := app.DocumentID(""); ; {
					list, err := c.Scan(ctx, source, app.DocumentQuery{After: after, Limit: batch})
					must(b, err)
					if len(list) == 0 {
						break
					}
					must(b, into.Import(ctx, target, list, nil))
					after = list[len(list)-1].ID
				}
			}
			b.ReportMetric(float64(documents*b.N)/b.Elapsed().Seconds(), "documents/s")
		})
	}
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			copyBare(b, c.path(source.Placement.Database), b.TempDir()+"/bare.db", batch)
		}
		b.ReportMetric(float64(documents*b.N)/b.Elapsed().Seconds(), "documents/s")
	})
}

func copyBare(b *testing.B, from, to string, batch int) {
	b.Helper()
	source, err := sql.Open("sqlite", dsn(from, true, defaultCacheKiB))
	must(b, err)
	defer func() { must(b, source.Close()) }()
	target, err := sql.Open("sqlite", dsn(to, false, defaultCacheKiB))
	must(b, err)
	defer func() { must(b, target.Close()) }()
	target.SetMaxOpenConns(1)
	_, err = target.Exec("PRAGMA journal_mode = WAL; " + fmt.Sprintf(createTable, "org_acme") + "; CREATE INDEX by_type ON org_acme (type, id)")
	must(b, err)
	insert, err := target.Prepare("INSERT INTO org_acme (id, type, revision, created, updated, crc, data) VALUES (?, ?, ?, ?, ?, ?, ?)")
	must(b, err)
	defer func() { must(b, insert.Close()) }()
	rows, err := source.Query("SELECT id, type, revision, created, updated, crc, data FROM org_acme ORDER BY id")
	must(b, err)
	defer func() { must(b, rows.Err()); must(b, rows.Close()) }()
	for more := true; more; {
		_, err := target.Exec("BEGIN")
		must(b, err)
		for range batch {
			if more = rows.Next(); !more {
				break
			}
			var id, kind, data string
			var revision, created, updated, crc int64
			must(b, rows.Scan(&id, &kind, &revision, &created, &updated, &crc, &data))
			_, err := insert.Exec(id, kind, revision, created, updated, crc, data)
			must(b, err)
		}
		_, err = target.Exec("COMMIT")
		must(b, err)
	}
}
