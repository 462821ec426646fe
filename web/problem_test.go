package web

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"tenantry/app"
)

// sourceFiles parses the production code of the module.
func sourceFiles(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	for _, root := range []string{"../app", "../web", "../cli"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			files[filepath.ToSlash(path)] = f
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(files) < 50 {
		t.Fatalf("only %d files: the test looks in the wrong place", len(files))
	}
	return files
}

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
	if declared != len(sentinels) {
		t.Fatalf("package app declares %d sentinels, this test knows %d", declared, len(sentinels))
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

var codeWord = regexp.MustCompile(`^[a-z]+(_[a-z0-9]+)*$`)

// codesInSource finds the codes that the module gives to problems, with the
// kind where it stands beside them.
func codesInSource(t *testing.T) map[string]string {
	t.Helper()
	used := map[string]string{}
	text := func(e ast.Expr) string {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return ""
		}
		s, _ := strconv.Unquote(lit.Value)
		return s
	}
	for path, file := range sourceFiles(t) {
		if strings.HasSuffix(path, "web/codes.go") || strings.Contains(path, "storagetest") {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				name := ""
				switch f := n.Fun.(type) {
				case *ast.Ident:
					name = f.Name
				case *ast.SelectorExpr:
					name = f.Sel.Name
				}
				if (name == "Fail" || name == "newProblem") && len(n.Args) == 3 {
					if code := text(n.Args[1]); code != "" {
						used[code] = path
					}
				}
			case *ast.CompositeLit:
				typed := false
				switch lit := n.Type.(type) {
				case *ast.SelectorExpr:
					typed = lit.Sel.Name == "Error"
				case *ast.Ident:
					typed = lit.Name == "Error" || lit.Name == "Problem"
				}
				for _, element := range n.Elts {
					kv, ok := element.(*ast.KeyValueExpr)
					if !ok || !typed {
						continue
					}
					if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Code" {
						if code := text(kv.Value); code != "" {
							used[code] = path
						}
					}
				}
			case *ast.FuncDecl:
				if n.Name.Name != "frameworkCode" {
					return true
				}
				ast.Inspect(n, func(n ast.Node) bool {
					if r, ok := n.(*ast.ReturnStmt); ok {
						used[text(r.Results[0])] = path
					}
					return true
				})
			}
			return true
		})
	}
	for _, row := range problems {
		used[row.code] = "the table of problems"
	}
	return used
}

// A client branches on codes: each that can be sent must be in the table, and
// the table must not promise what nothing sends.
func TestTableOfCodesIsThatOfTheSource(t *testing.T) {
	used := codesInSource(t)
	for code, path := range used {
		if _, known := findCode(code); !known {
			t.Errorf("%s sends the code %q, which the table does not explain", path, code)
		}
	}
	seen := map[string]bool{}
	for _, code := range Codes {
		if used[code.Name] == "" {
			t.Errorf("the table has the code %q, which nothing sends", code.Name)
		}
		if seen[code.Name] || !codeWord.MatchString(code.Name) || code.Title == "" || http.StatusText(code.Status) == "" {
			t.Errorf("the table has %+v", code)
		}
		seen[code.Name] = true
	}
}

func TestCodesAreExplainedOverHTTP(t *testing.T) {
	w := newWorld(t)
	if list := w.do("GET", "/errors", "", nil); list.status != 200 || list.field("items.0.code") != Codes[0].Name {
		t.Error(list)
	}
	for _, code := range Codes {
		a := w.do("GET", "/errors/"+code.Name, "", nil)
		if a.status != 200 || a.field("title") != code.Title || a.field("status") != strconv.Itoa(code.Status) {
			t.Error(code, a)
		}
	}
	a := w.do("GET", "/errors/no_such_code", "", nil)
	w.expect(a, 404, "not_found")
	if next := w.do("GET", a.field("type"), "", nil); next.status != 200 || next.field("code") != "not_found" {
		t.Error("a problem's type leads nowhere:", next)
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
