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

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRefused(t *testing.T) {
	secret := strings.Repeat("s3cr3t", 5)
	for name, test := range map[string]struct {
		file  string
		env   []string
		flags map[string]string
		want  []string // all of these in the error
		never string
	}{
		"unknown key":      {file: "\nlisten_on = \"x\"\n", want: []string{"t.toml:2", `"listen_on"`, `nearest known is "listen"`}},
		"unknown in table": {file: "[password]\nbcrypt_cots = 12\n", want: []string{"t.toml:2", `"password.bcrypt_cost"`}},
		"all at once":      {file: "a = 1\nb = 2\n[log]\nlevel = \"loud\"\n", want: []string{`"a"`, `"b"`, "t.toml:4", "debug, info, warn, error"}},
		"wrong type":       {file: "[password]\nbcrypt_cost = \"12\"\n", want: []string{"t.toml:2", "password.bcrypt_cost", "a whole number"}},
		"out of range":     {file: "[password]\nbcrypt_cost = 40\n", want: []string{"t.toml:2", "40", "4 to 16"}},
		"not TOML":         {file: "listen = \n", want: []string{"t.toml:1", "not TOML"}},
		"twice":            {file: "signup = \"open\"\nsignup = \"closed\"\n", want: []string{"t.toml:2"}},
		"bad duration":     {file: "[tokens]\naccess_ttl = \"soon\"\n", want: []string{"t.toml:2", `"15m"`}},
		"bad size":         {file: "[http]\nbody_limit = \"1 MB\"\n", want: []string{"t.toml:2", "1MiB"}},
		"bad network":      {file: "trusted_proxies = [\"10.0.0.1\"]\n", want: []string{"t.toml:1", "/32"}},
		"any origin":       {file: "[cors]\norigins = [\"*\"]\n", want: []string{"t.toml:2", "name the origins"}},
		"mongodb":          {file: "[registry]\nurl = \"mongodb://u:p4ss@h\"\n", want: []string{"no MongoDB engine yet"}},
		"no such cluster":  {file: "[placement]\ncluster = \"eu\"\n", want: []string{"placement.cluster", "default"}},
		"one place twice":  {file: "[clusters.a]\nurl = \"sqlite:x\"\n[clusters.b]\nurl = \"sqlite:x\"\n", want: []string{"clusters.b.url", "clusters.a"}},
		"cluster's name":   {file: "[clusters.A_B]\nurl = \"sqlite:x\"\n", want: []string{"clusters.A_B", "lower-case"}},
		"same addresses":   {file: "[admin]\nlisten = \"127.0.0.1:8000\"\n", want: []string{"admin.listen"}},
		"environment":      {env: []string{"TENANTRY_LISTEN=nowhere"}, want: []string{"TENANTRY_LISTEN", `"nowhere"`, "127.0.0.1:8000"}},
		"flag":             {flags: map[string]string{"listen": "nowhere"}, want: []string{"--listen", "127.0.0.1:8000"}},
		"secret not shown": {file: "seal_key = \"" + secret + "\"\n", want: []string{"seal_key", "32 bytes"}, never: secret},
		"secret given twice": {env: []string{"TENANTRY_SEAL_KEY=" + secret, "TENANTRY_SEAL_KEY_FILE=/x"},
			want: []string{"TENANTRY_SEAL_KEY_FILE", "both set"}, never: secret},
		"secret's file is missing": {env: []string{"TENANTRY_SEAL_KEY_FILE=/nonexistent/key"}, want: []string{"TENANTRY_SEAL_KEY_FILE"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := config.Load(config.Options{File: write(t, test.file), Environ: test.env, Flags: test.flags})
			if err == nil {
				t.Fatal("it was accepted")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q:\n%v", want, err)
				}
			}
			if test.never != "" && strings.Contains(err.Error(), test.never) {
				t.Errorf("the error repeats a secret:\n%v", err)
			}
		})
	}
}

// Flags win over the environment, which wins over the file.
func TestPrecedence(t *testing.T) {
	file := write(t, "listen = \"127.0.0.1:1\"\nsignup = \"closed\"\n[password]\nbcrypt_cost = 11\n[clusters.eu]\nurl = \"sqlite:eu\"\n")
	key := write(t, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n")
	cfg, report, err := config.Load(config.Options{
		File:    file,
		Environ: []string{"TENANTRY_LISTEN=127.0.0.1:2", "TENANTRY_PASSWORD_BCRYPT_COST=10", "TENANTRY_SEAL_KEY_FILE=" + key, "TENANTRY_LISTN=x", "TENANTRY_KEY=k", "TENANTRY_CLUSTERS_US_SHARDS=8"},
		Flags:   map[string]string{"listen": "127.0.0.1:3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Listen != "127.0.0.1:3" || cfg.Password.BcryptCost != 10 || cfg.Signup != "closed" || cfg.SealKey == "" {
		t.Errorf("loaded %+v", cfg)
	}
	want := map[string]config.Cluster{"eu": {URL: "sqlite:eu", Shards: 64}, "us": {URL: "sqlite:clusters/us", Shards: 8}}
	if !reflect.DeepEqual(cfg.Clusters, want) || cfg.PlacementCluster() != "eu" {
		t.Errorf("clusters %+v, new ones in %q", cfg.Clusters, cfg.PlacementCluster())
	}
	origins := map[string]string{}
	for _, e := range report.Entries {
		origins[e.Key] = e.Origin
		if e.Key == "seal_key" && e.Value != "********" {
			t.Errorf("the seal key is shown as %v", e.Value)
		}
	}
	for key, want := range map[string]string{"listen": "--listen", "password.bcrypt_cost": "TENANTRY_PASSWORD_BCRYPT_COST",
		"signup": file + ":2", "seal_key": "TENANTRY_SEAL_KEY_FILE", "log.level": "default", "clusters.eu.url": file + ":6"} {
		if origins[key] != want {
			t.Errorf("%s comes from %q, want %q", key, origins[key], want)
		}
	}
	if len(report.Warnings) != 1 || !strings.Contains(report.Warnings[0], "TENANTRY_LISTN") || !strings.Contains(report.Warnings[0], "TENANTRY_LISTEN") {
		t.Errorf("warnings %q", report.Warnings)
	}
}

func TestFileLookup(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, _, err := config.Load(config.Options{}); err != nil {
		t.Errorf("without any file: %v", err)
	}
	if _, _, err := config.Load(config.Options{File: "missing.toml"}); err == nil {
		t.Error("a named file that is missing was passed over")
	}
	if err := os.WriteFile("tenantry.toml", []byte("signup = \"closed\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if cfg, _, err := config.Load(config.Options{}); err != nil || cfg.Signup != "closed" {
		t.Errorf("./tenantry.toml was passed over: %+v, %v", cfg, err)
	}
}

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
		if err == nil && cfg.PlacementCluster() == "" {
			t.Error("loaded, with no cluster for new organizations")
		}
	})
}
