package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tenantry/app/config"
)

// The example file says what holds without it, to the letter and in effect.
func TestExample(t *testing.T) {
	path := filepath.Join("..", "..", "config.example.toml")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(raw) != config.Example() {
		t.Errorf("config.example.toml is not what \"tenantry config init\" prints; write it anew with: go run . config init > config.example.toml")
	}
	got, report, err := config.Load(config.Options{File: path})
	if err != nil {
		t.Fatal(err)
	}
	if want := config.Default(); !reflect.DeepEqual(got, want) {
		t.Errorf("it loads to\n%+v, not to the defaults\n%+v", got, want)
	}
	for _, e := range report.Entries {
		if e.Origin == "default" {
			t.Errorf("%s is not in the example", e.Key)
		}
	}
}

// A line less in the example, and the test above sees it.
func TestExampleIsWhole(t *testing.T) {
	t.Parallel()
	lines := strings.SplitAfter(config.Example(), "\n")
	left := 0
	for i, line := range lines {
		if strings.HasPrefix(line, "#") || !strings.Contains(line, " = ") {
			continue
		}
		left++
		without := strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), "")
		_, report, err := config.Load(config.Options{File: write(t, without)})
		if err != nil {
			t.Fatal(err)
		}
		missing := 0
		for _, e := range report.Entries {
			if e.Origin == "default" {
				missing++
			}
		}
		if missing != 1 {
			t.Errorf("without %q %d keys are said to be missing", line, missing)
		}
	}
	if want := len(keysOfOneCluster()); left != want {
		t.Errorf("the example has %d keys of %d", left, want)
	}
}
