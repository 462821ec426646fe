package web

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// docs/errors.md lists every code, as the table has them.
func TestErrorsPage(t *testing.T) {
	head, err := os.ReadFile(filepath.Join("testdata", "errors.md"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.Write(head)
	b.WriteString("| code | status | meaning |\n| --- | --- | --- |\n")
	for _, c := range Codes {
		fmt.Fprintf(&b, "| `%s` | %d | %s |\n", c.Name, c.Status, c.Title)
	}
	path := filepath.Join("..", "docs", "errors.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != b.String() {
		t.Error("docs/errors.md is not what the table of codes says; write it anew with: go test ./web -run TestErrorsPage -update")
	}
}
