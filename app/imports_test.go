package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "tenantry"

// mayImport says which rooms of this module each room may import outside of
// its tests. A room is a package of its own, except for the trees below.
var mayImport = map[string][]string{
	"main": {"cli"},
	"cli": {"app", "app/appliance", "app/client", "app/config", "app/documents", "app/identity",
		"app/journal", "app/registrymove", "app/seal", "app/tenancy", "app/verify", "tui", "web"},
	"web": {"app", "app/documents", "app/identity", "app/journal", "app/relocation", "app/tenancy"},
	"tui": {"app", "app/client", "app/documents", "app/identity", "app/tenancy", "app/verify"},

	"bench": {"app/client", "app/mongodb/mongotest"},

	"app/appliance": {"app", "app/cache", "app/circuit", "app/config", "app/documents", "app/failpoint", "app/identity", "app/journal",
		"app/mongodb", "app/registrymove", "app/relocation", "app/seal", "app/sqlite", "app/tenancy"},
	"app/client": {"app"},
	"app/config": {"app", "app/seal"},
	"app/verify": {"app", "app/client"},

	"app/documents": {"app", "app/cache", "app/journal", "app/seal"},
	"app/identity":  {"app", "app/cache", "app/journal", "app/seal"},
	"app/tenancy":   {"app", "app/cache", "app/journal", "app/relocation", "app/seal"},

	"app/registrymove":      {"app"},
	"app/relocation":        {"app"},
	"app/mongodb":           {"app"},
	"app/mongodb/mongotest": {},
	"app/sqlite":            {"app"},
	"app/storagetest":       {"app"},
	"app/failpoint":         {"app"},
	"app/outage":            {},
	"app/servertest":        {"app/appliance", "app/config", "web"},

	"app/circuit": {"app"},
	"app/journal": {"app"},
	"app/cache":   {},
	"app/seal":    {},
	"app":         {},
}

// trees are rooms of several packages, which may import each other.
var trees = []string{"cli", "tui", "web"}

// onlyForTests never reach the binary, by whatever way.
var onlyForTests = []string{
	"github.com/chromedp", "github.com/rogpeppe/go-internal", "pgregory.net/rapid",
	"github.com/charmbracelet/x/exp/teatest", "github.com/charmbracelet/x/exp/golden",
	"github.com/Shopify/toxiproxy", "github.com/rs/zerolog",
	"tenantry/app/mongodb/mongotest", "tenantry/app/servertest", "tenantry/app/storagetest", "tenantry/tui/tmuxtest", "testing",
}

// onlyThere are libraries that one room alone imports, so that another version
// of them, or another library, is the work of one room.
var onlyThere = map[string]string{
	"github.com/charmbracelet": "tui", "github.com/muesli": "tui",
}

// notTwice are second copies of what the binary has already: a Fiber beside
// Fiber 2 would come in through one careless import of an adapter.
var notTwice = []string{"github.com/gofiber/fiber/v3", "github.com/gofiber/fiber/v2/middleware"}

// unavoidable are imports that a library we cannot do without has, by the
// importer's path: Fiber 2 keeps its own tests' assertions in a package that it
// links everywhere.
var unavoidable = map[string]string{"github.com/gofiber/fiber/v2/utils": "testing"}

// systems are what releases are built for; each has files of its own.
var systems = []string{"linux", "darwin", "windows"}

type listedPackage struct {
	ImportPath string
	Imports    []string
}

func TestImportDirections(t *testing.T) {
	for _, system := range systems {
		t.Run(system, func(t *testing.T) {
			packages := goList(t, system, "-e", "./...")
			if len(packages) < 5 {
				t.Fatalf("go list found %d packages: the test looks in the wrong place", len(packages))
			}
			for _, v := range wrongImports(packages) {
				t.Error(v)
			}
		})
	}
}

func TestNoTestCodeInTheBinary(t *testing.T) {
	for _, system := range systems {
		t.Run(system, func(t *testing.T) {
			packages := goList(t, system, "-deps", ".")
			if !slices.ContainsFunc(packages, func(p listedPackage) bool { return p.ImportPath == "modernc.org/sqlite" }) {
				t.Fatal("the binary links no SQLite: the test looks in the wrong place")
			}
			for _, v := range linked(packages, slices.Concat(onlyForTests, notTwice)) {
				t.Error(v)
			}
		})
	}
}

func goList(t *testing.T, system string, args ...string) []listedPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Imports"}, args...)...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var packages []listedPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listedPackage
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages
		case err != nil:
			t.Fatalf("read what go list wrote: %v", err)
		}
		packages = append(packages, p)
	}
}

// room is the row of mayImport that a package of this module falls under.
func room(path string) (string, bool) {
	if path == module {
		return "main", true
	}
	rest, ours := strings.CutPrefix(path, module+"/")
	if !ours {
		return "", false
	}
	for _, tree := range trees {
		if within(rest, tree) {
			return tree, true
		}
	}
	return rest, true
}

func wrongImports(packages []listedPackage) []string {
	var wrong []string
	for _, p := range packages {
		from, ours := room(p.ImportPath)
		if !ours {
			continue
		}
		allowed, known := mayImport[from]
		if !known {
			wrong = append(wrong, p.ImportPath+" has no row in mayImport (app/imports_test.go) yet: "+
				"say what it may import, there and in .golangci.yaml")
			continue
		}
		for _, path := range p.Imports {
			to, ours := room(path)
			if ours && to != from && !slices.Contains(allowed, to) {
				wrong = append(wrong, p.ImportPath+" must not import "+path)
			}
			for library, place := range onlyThere {
				if within(path, library) && from != place {
					wrong = append(wrong, p.ImportPath+" must not import "+path+", which is for "+place+" alone")
				}
			}
		}
	}
	return wrong
}

// linked names the packages that are at or below a forbidden path, and who
// imports them.
func linked(packages []listedPackage, forbidden []string) []string {
	var found []string
	for _, p := range packages {
		for _, path := range p.Imports {
			if unavoidable[p.ImportPath] == path {
				continue
			}
			if slices.ContainsFunc(forbidden, func(root string) bool { return within(path, root) }) {
				found = append(found, path+" is linked into the binary, through "+p.ImportPath)
			}
		}
	}
	return found
}

func within(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

// The rules above must be able to fail.
func TestImportRulesSeeWhatIsWrong(t *testing.T) {
	for _, wrong := range [][2]string{
		{"tenantry", "tenantry/web"},
		{"tenantry/app", "tenantry/app/cache"},
		{"tenantry/app/cache", "tenantry/app"},
		{"tenantry/app/seal", "tenantry/app"},
		{"tenantry/app/client", "tenantry/app/cache"},
		{"tenantry/app/journal", "tenantry/app/tenancy"},
		{"tenantry/app/tenancy", "tenantry/app/identity"},
		{"tenantry/app/identity", "tenantry/app/sqlite"},
		{"tenantry/app/documents", "tenantry/web"},
		{"tenantry/app/sqlite", "tenantry/app/journal"},
		{"tenantry/app/verify", "tenantry/web"},
		{"tenantry/app/appliance", "tenantry/web"},
		{"tenantry/app/appliance", "tenantry/app/storagetest"},
		{"tenantry/app/mongodb", "tenantry/app/mongodb/mongotest"},
		{"tenantry/web", "tenantry/app/sqlite"},
		{"tenantry/web", "tenantry/app/appliance"},
		{"tenantry/web/swagger", "tenantry/cli"},
		{"tenantry/tui/widget", "tenantry/web"},
		{"tenantry/cli", "tenantry/app/sqlite"},
		{"tenantry/cli", "github.com/charmbracelet/bubbletea"},
		{"tenantry/cli", "tenantry/app/storagetest"},
		{"tenantry/app/unheard", "fmt"},
	} {
		if got := wrongImports([]listedPackage{{ImportPath: wrong[0], Imports: []string{wrong[1]}}}); len(got) != 1 {
			t.Errorf("%s importing %s: got %q, want one complaint", wrong[0], wrong[1], got)
		}
	}
	right := []listedPackage{
		{ImportPath: "tenantry", Imports: []string{"os", "tenantry/cli"}},
		{ImportPath: "tenantry/web", Imports: []string{"tenantry/app", "tenantry/app/tenancy", "tenantry/web/swagger"}},
		{ImportPath: "tenantrysomethingelse/app", Imports: []string{"tenantry/cli"}},
	}
	if got := wrongImports(right); len(got) != 0 {
		t.Errorf("right imports: got %q", got)
	}
	for _, path := range []string{"testing", "testing/fstest", "pgregory.net/rapid", "github.com/chromedp/cdproto/dom"} {
		if got := linked([]listedPackage{{ImportPath: "x", Imports: []string{path}}}, onlyForTests); len(got) != 1 {
			t.Errorf("%s linked: got %q, want one complaint", path, got)
		}
	}
	excused := listedPackage{ImportPath: "github.com/gofiber/fiber/v2/utils", Imports: []string{"testing", "testing/fstest"}}
	if got := linked([]listedPackage{excused}, onlyForTests); len(got) != 1 {
		t.Errorf("an import excused and one not: got %q, want one complaint", got)
	}
	if got := linked([]listedPackage{{ImportPath: "x", Imports: []string{"testingthings", "fmt"}}}, onlyForTests); len(got) != 0 {
		t.Errorf("nothing wrong linked: got %q", got)
	}
}
