package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tenantry/app/config"
)

func FuzzLoad(f *testing.F) {
	f.Add(config.Example())
	f.Add("[clusters.a]\nurl = \"sqlite:x\"\n")
	f.Add("a.b.c = {d = [1, {e = 2}]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "f.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, _, err := config.Load(config.Options{File: path})
		if err == nil && cfg.PlacementClusters()[0] == "" {
			t.Error("loaded, with no cluster for new organizations")
		}
	})
}

// Whatever the environment holds, loading ends without a panic, and a value
// that was taken is shown as one that is taken again.
func FuzzValues(f *testing.F) {
	for _, k := range config.Keys() {
		f.Add(k.Name, fmt.Sprint(k.Default))
	}
	f.Add("http.body_limit", "8388608TiB")
	f.Add("tokens.access_ttl", "-9223372036854775808ns")
	f.Add("password.max_wait", "1m0.5s")
	f.Add("listen", "[::1%eth0]:8000")
	f.Fuzz(func(t *testing.T, name, text string) {
		t.Chdir(t.TempDir())
		_, report, err := config.Load(config.Options{Environ: []string{config.EnvName(name) + "=" + text}})
		if err != nil {
			return
		}
		for _, e := range report.Entries {
			if e.Origin != config.EnvName(name) || e.Value == "********" {
				continue
			}
			shown := fmt.Sprint(e.Value)
			if list, ok := e.Value.([]string); ok {
				shown = strings.Join(list, ",")
			}
			_, again, err := config.Load(config.Options{Environ: []string{config.EnvName(name) + "=" + shown}})
			if err != nil {
				t.Fatalf("%s=%q is shown as %q, which is refused: %v", name, text, shown, err)
			}
			for _, a := range again.Entries {
				if a.Key == e.Key && !reflect.DeepEqual(a.Value, e.Value) {
					t.Errorf("%s=%q is shown as %v, which is %v", name, text, e.Value, a.Value)
				}
			}
		}
	})
}
