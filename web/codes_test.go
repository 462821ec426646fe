package web

import (
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
