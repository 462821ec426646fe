package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"tenantry/app"
)

// adminGet asks the admin listener.
func (w *world) adminGet(path string) answer {
	w.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	go func() { _ = w.server.ServeAdmin(ln) }()
	res, err := http.Get("http://" + ln.Addr().String() + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, body}
}

func TestMetricsHaveBoundedLabels(t *testing.T) {
	w := newWorld(t, func(s *settings) {
		s.services = func(v *Services) {
			v.Gauges = func(context.Context) []Gauge {
				return []Gauge{{Name: "storage_bytes", Help: "Bytes.", Labels: map[string]string{"file": "registry"}, Value: 42}}
			}
		}
	})
	secret := "Unmistakable Tenant"
	a := w.do("POST", "/v1/organizations", "", object{"name": secret, "external_id": "unmistakable-id", "owner": object{"email": "unmistakable@x.example", "password": seedPassword}})
	token := w.seedToken("unmistakable@x.example", seedPassword)
	slug, id := a.field("slug"), a.field("id")
	for i := range 30 {
		w.do("GET", "/v1/organizations/"+slug, token, nil)
		w.do("GET", fmt.Sprintf("/v1/organizations/%s/documents/doc-%d", id, i), token, nil)
		w.do("GET", fmt.Sprintf("/scan-%d", i), "", nil)
		w.do("GET", fmt.Sprintf("/errors/made-up-%d", i), "", nil)
		w.raw(fmt.Sprintf("VERB%d / HTTP/1.1\r\nHost: x\r\n\r\n", i))
		w.do("HEAD", "/healthz", "", nil)
		w.do("OPTIONS", "/healthz", "", nil)
	}
	metrics := string(w.adminGet("/metrics").body)
	if m := regexp.MustCompile(`(?i)unmistakable|` + regexp.QuoteMeta(id) + `|doc-\d|scan-|made-up|VERB`).FindString(metrics); m != "" {
		t.Error("the metrics tell", m)
	}
	allowed := map[string]bool{"(none)": true, "/docs": true}
	for _, rt := range w.server.routes {
		allowed[rt.path] = true
	}
	series := 0
	for _, m := range regexp.MustCompile(`tenantry_http_requests_total{method="([^"]*)",route="([^"]*)",status="(\d+)"}`).FindAllStringSubmatch(metrics, -1) {
		series++
		if !allowed[m[2]] || m[1] != "other" && !knownMethod([]byte(m[1])) {
			t.Error("unbounded label:", m[0])
		}
	}
	if series < 5 || series > 40 {
		t.Error(series, "series")
	}
	for _, line := range []string{
		`tenantry_http_requests_total{method="GET",route="/v1/organizations/{org}",status="200"} 30`,
		`tenantry_http_requests_total{method="GET",route="/v1/organizations/{org}/documents/{id}",status="404"} 30`,
		`tenantry_http_requests_total{method="HEAD",route="/healthz",status="200"} 30`,
		`tenantry_http_requests_total{method="other",route="(none)",status="404"} 30`,
		`tenantry_http_requests_total{method="other",route="(none)",status="405"} 30`,
		`tenantry_http_requests_total{method="other",route="(none)",status="501"} 30`,
		`tenantry_http_requests_in_flight 0`,
		`tenantry_build_info{version="test"} 1`,
		`tenantry_storage_bytes{file="registry"} 42`,
		`tenantry_password_workers 1`,
	} {
		if !strings.Contains(metrics, line) {
			t.Error("the metrics lack", line)
		}
	}
	// They are on the admin listener alone.
	w.expect(w.do("GET", "/metrics", w.operator, nil), 404, "route_not_found")
	w.expect(w.do("GET", "/debug/pprof/", w.operator, nil), 404, "route_not_found")
}

func TestProfilesOnlyWhenAskedFor(t *testing.T) {
	without := newWorld(t)
	if a := without.adminGet("/debug/pprof/"); a.status != 404 {
		t.Error(a.status)
	}
	with := newWorld(t, func(s *settings) { s.opts.Profiles = true })
	if a := with.adminGet("/debug/pprof/"); a.status != 200 {
		t.Error(a)
	}
	if a := with.adminGet("/v1/me"); a.status != 404 {
		t.Error("the API is on the admin listener:", a)
	}
}

func TestHealthAndReadiness(t *testing.T) {
	w := newWorld(t)
	if a := w.do("GET", "/healthz", "", nil); a.status != 200 || string(a.body) != `{"status":"ok"}` {
		t.Error(a)
	}
	a := w.do("GET", "/readyz", "", nil)
	if a.status != 200 || a.field("status") != "ready" || a.field("checks.0.name") != "registry" || a.field("checks.0.status") != "ok" || a.field("checks.1.name") != "cluster default" {
		t.Error(a)
	}
}

func TestReadinessSaysWhyNotWithoutSecrets(t *testing.T) {
	asked := 0
	w := newWorld(t, func(s *settings) {
		s.services = func(v *Services) {
			v.Health = func(ctx context.Context) []Check {
				asked++
				if _, bounded := ctx.Deadline(); !bounded {
					t.Error("health is asked without a deadline")
				}
				return []Check{
					{"registry", nil},
					{"cluster one", errors.New("mongodb://root:hunter2@db/: connection refused")},
					{"cluster two", fmt.Errorf("probe /secret/path: %w", &app.Error{Kind: app.ErrNoSpace, Code: "storage_full",
						Detail: "There is no room left.", Cause: errors.New("/secret/path")})},
				}
			}
		}
	})
	for range 20 {
		a := w.do("GET", "/readyz", "", nil)
		if a.status != 503 || a.field("status") != "not_ready" || a.field("checks.0.status") != "ok" || a.field("checks.1.status") != "failing" ||
			a.field("checks.2.detail") != "There is no room left." || a.header.Get("Cache-Control") != "no-store" {
			t.Fatal(a)
		}
		if strings.Contains(a.String(), "hunter2") || strings.Contains(a.String(), "secret") {
			t.Fatal("a secret is told:", a)
		}
	}
	if asked > 3 {
		t.Error("twenty questions in a moment were passed on", asked, "times")
	}
	// Alive is another question.
	if a := w.do("GET", "/healthz", "", nil); a.status != 200 {
		t.Error(a)
	}
	if lines := strings.Count(w.log.String(), `"msg":"not ready"`); lines != 2 {
		t.Errorf("%d lines in the log for two parts that fail", lines)
	}
}

func TestReadinessWhileStopping(t *testing.T) {
	w := newWorld(t)
	w.do("GET", "/readyz", "", nil) // it serves
	w.server.draining.Store(true)
	a, err := w.try(w.client, "GET", "/readyz", "", nil)
	w.server.draining.Store(false)
	if err != nil || a.status != 503 || a.field("status") != "stopping" || a.header.Get("Connection") != "close" {
		t.Error(a, err)
	}
	// Nothing to ask is nothing that fails.
	bare := newWorld(t, func(s *settings) { s.services = func(v *Services) { v.Health = nil } })
	if a := bare.do("GET", "/readyz", "", nil); a.status != 200 || a.field("checks") != "[]" {
		t.Error(a)
	}
}

func TestLogLines(t *testing.T) {
	for mode, want := range map[LogRequests]map[string]bool{
		LogAll: {"/v1/me": true, "/nowhere": true, "/readyz": true}, LogErrors: {"/readyz": true}, LogNone: {},
	} {
		w := newWorld(t, func(s *settings) {
			s.opts.LogRequests = mode
			s.services = func(v *Services) {
				v.Health = func(context.Context) []Check { return []Check{{"x", app.ErrUnavailable}} }
			}
		})
		o := w.tenant()
		w.do("GET", "/v1/me", o.token, nil)
		w.do("GET", "/nowhere?secret=query-text", "", nil)
		w.do("GET", "/readyz", "", nil)
		eventually(t, "all is answered", func() bool { return w.server.active.Load() == 0 })
		log := w.log.String()
		for _, path := range []string{"/v1/me", "/nowhere", "/readyz"} {
			if got := strings.Contains(log, `"path":"`+path+`"`); got != want[path] {
				t.Errorf("%s: a line for %s: %v", mode, path, got)
			}
		}
		if strings.Contains(log, "query-text") || strings.Contains(log, o.token) || strings.Contains(log, o.password) || strings.Contains(log, o.email) {
			t.Error("the log tells what was sent:", log)
		}
		if mode == LogAll && !regexp.MustCompile(`"path":"/v1/me","route":"/v1/me","status":200,"duration_ms":[\d.]+,"client":"127.0.0.1","user_id":"[^"]+","org_id":"`+o.id+`"`).MatchString(log) {
			t.Error("the line is another:", log)
		}
	}
	long := shorten(strings.Repeat("é", 300), 201)
	if len(long) > 210 || !strings.HasSuffix(long, "…") {
		t.Errorf("%q", long)
	}
}
