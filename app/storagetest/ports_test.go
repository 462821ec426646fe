package storagetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// notPromises are first words of tests that are about the ports as a whole.
var notPromises = map[string]bool{"Context": true, "Reopen": true, "Model": true}

// Every method of the ports has a test that is named after it, and no test is
// named after what there is not. A method that promises ErrNotFound has a test
// of just that.
func TestEveryMethodHasATest(t *testing.T) {
	methods := portMethods(t)
	if len(methods) < 40 {
		t.Fatalf("there are %d methods: the test looks in the wrong place", len(methods))
	}
	tests := suiteTests(t)
	for method, doc := range methods {
		if len(tests[method]) == 0 && method != "Close" { // which every Reopen is about
			t.Errorf("no test is named %s/…", method)
		}
		if strings.Contains(doc, "MUST return ErrNotFound") {
			found := false
			for _, promise := range tests[method] {
				found = found || strings.Contains(promise, "IsNotFound")
			}
			if !found {
				t.Errorf("no test is named %s/…IsNotFound", method)
			}
		}
	}
	for method := range tests {
		if _, is := methods[method]; !is && !notPromises[method] {
			t.Errorf("tests are named %s/…, which is no method of the ports", method)
		}
	}
}

// portMethods are the methods of the interfaces in app/store.go,
// app/moving.go and app/registrymove.go, with what is said of them.
func portMethods(t *testing.T) map[string]string {
	t.Helper()
	methods := map[string]string{}
	for _, name := range []string{"store.go", "moving.go", "registrymove.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			port, is := n.(*ast.InterfaceType)
			if !is {
				return true
			}
			for _, m := range port.Methods.List {
				if len(m.Names) == 1 {
					methods[m.Names[0].Name] += m.Doc.Text()
				}
			}
			return true
		})
	}
	return methods
}

// suiteTests are the names of the tests here, the promises by their method.
func suiteTests(t *testing.T) map[string][]string {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string][]string{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, is := n.(*ast.CallExpr)
			if !is || len(call.Args) != 2 {
				return true
			}
			run, is := call.Fun.(*ast.SelectorExpr)
			if !is || run.Sel.Name != "test" && run.Sel.Name != "Run" {
				return true
			}
			if method, promise, is := strings.Cut(firstLiteral(call.Args[0]), "/"); is {
				tests[method] = append(tests[method], promise)
			}
			return true
		})
	}
	return tests
}

// firstLiteral is the string that an expression is, or begins with.
func firstLiteral(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strings.Trim(e.Value, "`\"")
	case *ast.BinaryExpr:
		return firstLiteral(e.X)
	}
	return ""
}
