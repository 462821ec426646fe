package web

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"tenantry/app"
)

func TestEverySentinelHasARow(t *testing.T) {
	declared := 0
	ast.Inspect(sourceFiles(t)["../app/errors.go"], func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Err") {
			declared++
		}
		return true
	})
	sentinels := []error{
		app.ErrInvalid, app.ErrUnauthenticated, app.ErrForbidden, app.ErrNotFound, app.ErrConflict,
		app.ErrStale, app.ErrLimit, app.ErrTooLarge, app.ErrUnavailable, app.ErrNoSpace,
	}
	// No caller of the core meets these, or these alone: one that comes out is a
	// fault of ours.
	inner := []error{app.ErrMoved, app.ErrFrozen, app.ErrLost, app.ErrUnfenced}
	if declared != len(sentinels)+len(inner) {
		t.Fatalf("package app declares %d sentinels, this test knows %d", declared, len(sentinels)+len(inner))
	}
	for _, sentinel := range inner {
		if p := problemOf(sentinel); p.Status != http.StatusInternalServerError {
			t.Errorf("%v is answered %d", sentinel, p.Status)
		}
	}
	for _, sentinel := range sentinels {
		p := problemOf(fmt.Errorf("read it: %w", sentinel))
		if p.Status == http.StatusInternalServerError {
			t.Errorf("%v has no row", sentinel)
		}
		if code, known := findCode(p.Code); !known || code.Status != p.Status || p.Title == "" || p.Detail == "" {
			t.Errorf("%v is answered %d %q, which the table of codes has as %v", sentinel, p.Status, p.Code, code)
		}
	}
}

func TestNotOurErrorIsAFaultWithoutDetail(t *testing.T) {
	for _, err := range []error{
		errors.New("pq: password authentication failed for user root"),
		fmt.Errorf("open: %w", fs.ErrNotExist),
		// A kind that no row has must not be taken at its word.
		app.Fail(errors.New("new kind"), "new_code", "secret detail"),
	} {
		p := problemOf(err)
		if p.Status != 500 || p.Code != "internal" || strings.Contains(p.Detail, "secret") || !errors.Is(p.cause, err) {
			t.Errorf("%v is answered %+v", err, p)
		}
	}
	if p := problemOf(context.DeadlineExceeded); p.Status != 503 || p.Code != "timeout" || p.retryAfter <= 0 {
		t.Errorf("a deadline is answered %+v", p)
	}
}

func TestProblemShape(t *testing.T) {
	w := newWorld(t)
	a := w.do("GET", "/v1/organizations/nobody", w.operator, nil)
	w.expect(a, 404, "organization_not_found")
	for field, want := range map[string]string{
		"type": "/errors/organization_not_found", "title": title("organization_not_found"), "status": "404",
		"instance": "/v1/organizations/nobody", "request_id": a.header.Get("X-Request-Id"),
	} {
		if got := a.field(field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	if a.field("detail") == "" || a.header.Get("Content-Type") != problemType || a.header.Get("Cache-Control") != "no-store" {
		t.Error(a)
	}
	public := newWorld(t, func(s *settings) { s.opts.PublicURL = "https://orgs.example.com/base/" })
	a = public.do("GET", "/nowhere", "", nil, func(r *http.Request) { r.Host = "evil.example" })
	if got := a.field("type"); got != "https://orgs.example.com/base/errors/route_not_found" {
		t.Error("type is", got)
	}
}

func TestRetryAfterWhereTryingAgainHelps(t *testing.T) {
	w := newWorld(t, func(s *settings) {
		s.services = func(v *Services) { v.Documents = brokenDocuments{v.Documents} }
	})
	o := w.tenant()
	for id, want := range map[string]struct {
		status int
		code   string
		retry  string
	}{
		"unavailable": {503, "unavailable", "1"},
		"busy":        {503, "unavailable", "3"},
		"limit":       {429, "limit_reached", "1"},
		"full":        {507, "storage_full", "1"},
		"deadline":    {503, "timeout", "1"},
		"fault":       {500, "internal", ""},
		"gone":        {404, "document_not_found", ""},
	} {
		a := w.do("GET", "/v1/organizations/"+o.slug+"/documents/"+id, o.token, nil)
		w.expect(a, want.status, want.code)
		if got := a.header.Get("Retry-After"); got != want.retry {
			t.Errorf("%s: Retry-After is %q, want %q", id, got, want.retry)
		}
		if strings.Contains(a.String(), "/var/lib") {
			t.Error("the cause is told:", a)
		}
	}
}

// brokenDocuments fails as the id says, and otherwise does what Documents does.
type brokenDocuments struct{ Documents }

func (b brokenDocuments) Get(ctx context.Context, actor app.Actor, org, id string) (app.Document, error) {
	switch id {
	case "unavailable":
		return app.Document{}, fmt.Errorf("open /var/lib/x: %w", app.ErrUnavailable)
	case "busy":
		return app.Document{}, &app.Error{Kind: app.ErrUnavailable, Code: "unavailable", Detail: "Wait.",
			RetryAfter: 2100 * time.Millisecond, Cause: errors.New("/var/lib/x")}
	case "limit":
		return app.Document{}, app.ErrLimit
	case "full":
		return app.Document{}, fmt.Errorf("write /var/lib/x: %w", app.ErrNoSpace)
	case "deadline":
		return app.Document{}, fmt.Errorf("read /var/lib/x: %w", context.DeadlineExceeded)
	case "fault":
		return app.Document{}, errors.New("the disk /var/lib/x is on fire")
	case "panic":
		panic("the disk /var/lib/x is on fire")
	case "slow":
		<-ctx.Done()
		return app.Document{}, errors.New("interrupted (9)")
	}
	return b.Documents.Get(ctx, actor, org, id)
}

func TestFaultIsLoggedOnceAndTellsNothing(t *testing.T) {
	for _, id := range []string{"fault", "panic"} {
		for _, mode := range []LogRequests{LogErrors, LogNone, LogAll} {
			t.Run(id+" logging "+string(mode), func(t *testing.T) {
				w := newWorld(t, func(s *settings) {
					s.opts.LogRequests = mode
					s.services = func(v *Services) { v.Documents = brokenDocuments{v.Documents} }
				})
				o := w.tenant()
				a := w.do("GET", "/v1/organizations/"+o.slug+"/documents/"+id, o.token, nil, header("X-Request-Id", "find-me-7"))
				w.expect(a, 500, "internal")
				if strings.Contains(a.String(), "fire") || strings.Contains(a.String(), "goroutine") {
					t.Error("the answer tells", a)
				}
				log := w.log.String()
				if n := strings.Count(log, "on fire"); n != 1 {
					t.Errorf("the cause stands %d times in the log:\n%s", n, log)
				}
				for line := range strings.Lines(log) {
					if strings.Contains(line, "on fire") && !strings.Contains(line, `"request_id":"find-me-7"`) {
						t.Error("the cause is logged without the request's id:", line)
					}
				}
				if id == "panic" && !strings.Contains(log, "brokenDocuments.Get") {
					t.Error("the log has no stack")
				}
				if a := w.do("GET", "/v1/organizations/"+o.slug, o.token, nil); a.status != 200 {
					t.Error("after the fault:", a)
				}
			})
		}
	}
}

func TestRequestTimeoutEndsTheWork(t *testing.T) {
	w := newWorld(t, func(s *settings) {
		s.opts.RequestTimeout = 300 * time.Millisecond
		s.services = func(v *Services) { v.Documents = brokenDocuments{v.Documents} }
	})
	o := w.tenant()
	a := w.do("GET", "/v1/organizations/"+o.slug+"/documents/slow", o.token, nil)
	w.expect(a, 503, "timeout")
	if a.header.Get("Retry-After") == "" {
		t.Error(a)
	}
}
