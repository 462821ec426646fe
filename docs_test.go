package main

import (
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"tenantry/cli"
)

// pages gives every Markdown file of the repository with its text.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	files(t, func(path string, text []byte) {
		if filepath.Ext(path) == ".md" {
			found[path] = string(text)
		}
	})
	if found["README.md"] == "" || found["docs/operation.md"] == "" {
		t.Fatalf("found %d pages: the test looks in the wrong place", len(found))
	}
	return found
}

// files reads every file of the repository that is kept in it.
func files(t *testing.T, each func(path string, text []byte)) {
	t.Helper()
	left := map[string]bool{".git": true, ".cache": true, "dist": true, "tenantry-data": true}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if left[path] || path == "tenantry" {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil {
			each(filepath.ToSlash(path), text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	inline  = regexp.MustCompile("`([^`\n]+)`")
	block   = regexp.MustCompile("(?ms)^```[^\n]*\n.*?^```")
)

func TestLinksLeadSomewhere(t *testing.T) {
	for page, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(block.ReplaceAllString(text, ""), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if u, err := url.Parse(target); err != nil || u.Scheme != "" {
				continue
			}
			to := page
			if target != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(page), target))
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
				continue
			}
			if anchor != "" && !anchors(t, to)[anchor] {
				t.Errorf("%s links to %s, which has no such heading", page, m[1])
			}
		}
	}
}

// anchors are the names that a page's headings have when it is shown.
func anchors(t *testing.T, page string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(string(text), -1) {
		found[strings.Map(func(r rune) rune {
			switch {
			case r == ' ' || r == '-':
				return '-'
			case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])] = true
	}
	return found
}

// ours is how a path of this repository begins.
var ours = regexp.MustCompile(`^(\.ci|\.github|app|bench|cli|docs|packaging|tui|web)/[\w./-]+$|^[\w.]+\.(md|go|yaml|toml)$|^(Makefile|LICENSE|NOTICE)$`)

// elsewhere are files that pages speak of and that are not in the repository.
var elsewhere = map[string]bool{"tenantry.toml": true}

func TestNamedFilesAreThere(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for page, text := range pages(t) {
		for _, m := range inline.FindAllStringSubmatch(block.ReplaceAllString(text, ""), -1) {
			if target, ok := strings.CutPrefix(m[1], "make "); ok {
				for _, word := range strings.Fields(target) {
					if !strings.Contains(word, "=") && !strings.Contains(string(makefile), "\n"+word+":") {
						t.Errorf("%s speaks of %q, which is no target", page, "make "+word)
					}
				}
			}
			if !ours.MatchString(m[1]) || elsewhere[m[1]] {
				continue
			}
			named++
			if !exists(m[1], page) {
				t.Errorf("%s speaks of %s, which is not there", page, m[1])
			}
		}
	}
	if named < 10 {
		t.Errorf("only %d files are named: the test looks for the wrong thing", named)
	}
}

// exists looks for a path from the top, from app/, and beside the page.
func exists(path, page string) bool {
	for _, at := range []string{".", "app", filepath.Dir(page)} {
		if _, err := os.Stat(filepath.Join(at, path)); err == nil {
			return true
		}
	}
	return false
}

// Every command that a page shows is one that the program has, with the flags
// that it is shown with.
func TestNamedCommandsAreThere(t *testing.T) {
	shown := 0
	for page, text := range pages(t) {
		var lines []string
		for _, b := range block.FindAllString(text, -1) {
			lines = append(lines, strings.Split(b, "\n")...)
		}
		for _, m := range inline.FindAllStringSubmatch(block.ReplaceAllString(text, ""), -1) {
			lines = append(lines, m[1])
		}
		for _, line := range lines {
			for _, words := range commands(line) {
				shown++
				root := cli.New(cli.Build{})
				root.InitDefaultCompletionCmd()
				cmd, _, err := root.Find(words)
				switch {
				case err != nil:
					t.Errorf("%s shows %q: %v", page, line, err)
					continue
				case cmd == root && len(words) > 0 && words[0] != "help" && !strings.HasPrefix(words[0], "-"):
					t.Errorf("%s shows %q, and there is no such command", page, line)
				}
				for _, w := range words {
					name, isFlag := strings.CutPrefix(w, "--")
					name, _, _ = strings.Cut(name, "=")
					if isFlag && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil && name != "help" && name != "version" {
						t.Errorf("%s shows %q, and there is no flag --%s", page, line, name)
					}
				}
			}
		}
	}
	if shown < 20 {
		t.Errorf("only %d commands are shown: the test looks for the wrong thing", shown)
	}
}

// commands gives the words after each "tenantry" on a line that runs it.
func commands(line string) [][]string {
	var found [][]string
	line, _, _ = strings.Cut(line, " # ")
	for _, part := range regexp.MustCompile(`&&|\|`).Split(line, -1) {
		words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(part), "$ "))
		for len(words) > 0 && (words[0] == "sudo" || words[0] == "-u" || strings.Contains(words[0], "=") && !strings.HasPrefix(words[0], "-")) {
			if words[0] == "-u" {
				words = words[1:]
			}
			words = words[1:]
		}
		if len(words) > 3 && strings.Join(words[:3], " ") == "go run ." {
			found = append(found, words[3:])
		} else if len(words) > 1 && words[0] == "tenantry" {
			found = append(found, words[1:])
		}
	}
	return found
}

// Nothing of the machine that something was written on is in the repository:
// no path of it, and no host that it fetches modules from.
func TestNothingOfThisMachine(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var foreign []string
	// One folder below the root is too common a word, such as /app.
	for _, dir := range []string{here, filepath.Dir(here)} {
		if strings.Count(filepath.ToSlash(dir), "/") > 1 && dir != filepath.Clean(os.TempDir()) {
			foreign = append(foreign, dir)
		}
	}
	if home, err := os.UserHomeDir(); err == nil && len(home) > 1 {
		foreign = append(foreign, home+string(filepath.Separator))
	}
	if host, err := os.Hostname(); err == nil && strings.Contains(host, ".") && !strings.HasPrefix(host, "localhost") {
		foreign = append(foreign, host)
	}
	proxies, err := exec.CommandContext(t.Context(), "go", "env", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, proxy := range regexp.MustCompile(`[,|\s]+`).Split(string(proxies), -1) {
		if u, err := url.Parse(proxy); err == nil && u.Hostname() != "" && !strings.HasSuffix(u.Hostname(), ".golang.org") &&
			u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" {
			foreign = append(foreign, u.Hostname())
		}
	}
	whole := make([]*regexp.Regexp, len(foreign))
	for i, f := range foreign {
		whole[i] = regexp.MustCompile(`(^|[^\w./-])` + regexp.QuoteMeta(f))
	}
	files(t, func(path string, text []byte) {
		for i, f := range foreign {
			if whole[i].Match(text) {
				t.Errorf("%s has %q in it", path, f)
			}
		}
	})
}
