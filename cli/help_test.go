package cli_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"tenantry/cli"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Every command's help is as it stands in testdata/help, and none is there for
// a command that is gone. Run with -update to write them anew.
func TestHelp(t *testing.T) {
	root := cli.New(cli.Build{Version: "0.0.0-test"})
	left := map[string]bool{}
	for _, path := range must(filepath.Glob("testdata/help/*.txt"))(t) {
		left[path] = true
	}
	var each func(cmd *cobra.Command)
	each = func(cmd *cobra.Command) {
		golden := filepath.Join("testdata", "help", strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".txt")
		delete(left, golden)
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		var out, errs bytes.Buffer
		root.SetOut(&out)
		root.SetErr(&errs)
		root.SetArgs(args)
		if err := root.ExecuteContext(t.Context()); err != nil || errs.Len() > 0 {
			t.Errorf("%v: %v %s", args, err, errs.String())
		}
		for line := range strings.Lines(out.String()) {
			if strings.TrimRight(line, " \n") != strings.TrimRight(line, "\n") {
				t.Errorf("%v: blanks at the end of %q", args, line)
			}
		}
		if *update {
			if err := os.WriteFile(golden, out.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || string(want) != out.String() {
			t.Errorf("%s (%v) differs from the help, which is:\n%s", golden, err, out.String())
		}
		for _, sub := range cmd.Commands() {
			if !strings.HasPrefix(cmd.CommandPath(), "tenantry completion") { // cobra's words, not ours
				each(sub)
			}
		}
	}
	each(root)
	for path := range left {
		t.Errorf("%s is the help of no command", path)
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
