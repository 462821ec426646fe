package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"tenantry/app/config"
)

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
		"unknown key":                       {file: "\nlisten_on = \"x\"\n", want: []string{"t.toml:2", `"listen_on"`, `nearest known is "listen"`}},
		"unknown in table":                  {file: "[password]\nbcrypt_cots = 12\n", want: []string{"t.toml:2", `"password.bcrypt_cost"`}},
		"all at once":                       {file: "a = 1\nb = 2\n[log]\nlevel = \"loud\"\n", want: []string{`"a"`, `"b"`, "t.toml:4", "debug, info, warn, error"}},
		"wrong type":                        {file: "[password]\nbcrypt_cost = \"12\"\n", want: []string{"t.toml:2", "password.bcrypt_cost", "a whole number"}},
		"out of range":                      {file: "[password]\nbcrypt_cost = 40\n", want: []string{"t.toml:2", "40", "4 to 16"}},
		"not TOML":                          {file: "listen = \n", want: []string{"t.toml:1", "not TOML"}},
		"twice":                             {file: "signup = \"open\"\nsignup = \"closed\"\n", want: []string{"t.toml:2"}},
		"bad duration":                      {file: "[tokens]\naccess_ttl = \"soon\"\n", want: []string{"t.toml:2", `"15m"`}},
		"bad size":                          {file: "[http]\nbody_limit = \"1 MB\"\n", want: []string{"t.toml:2", "1MiB"}},
		"bad network":                       {file: "trusted_proxies = [\"10.0.0.1\"]\n", want: []string{"t.toml:1", "/32"}},
		"any origin":                        {file: "[cors]\norigins = [\"*\"]\n", want: []string{"t.toml:2", "lower case, without path"}},
		"mongodb":                           {file: "[registry]\nurl = \"mongodb://u:p4ss/x@h\"\n", want: []string{"t.toml:2", "@h"}, never: "p4ss"},
		"cluster and clusters":              {file: "[placement]\ncluster = \"a\"\nclusters = [\"b\"]\n", want: []string{"t.toml:3", "placement.clusters = [\"b\"]", "placement.cluster is set as well"}},
		"rule without an end":               {file: "[placement]\nrules = [\"region=eu\"]\n", want: []string{"t.toml:2", "placement.rules", "\"region=eu\": each", "FIELD=VALUE -> cluster=NAME"}},
		"isolation not allowed there":       {file: "[clusters.eu]\nisolations = [\"shared\"]\n[placement]\nisolation = \"database\"\n", want: []string{"t.toml:4", "placement.isolation = \"database\"", "clusters.eu.isolations allows: shared"}},
		"isolation not allowed, by default": {file: "[clusters.eu]\nisolations = [\"shared\"]\n", want: []string{"t.toml:2", "clusters.eu.isolations = [\"shared\"]", "\"collection\""}},
		"isolation not allowed by a rule":   {file: "[clusters.eu]\nisolations = [\"collection\"]\n[placement]\nrules = [\"a=b -> isolation=shared\"]\n", want: []string{"t.toml:4", "placement.rules", "\"shared\"", "clusters.eu.isolations"}},
		"no isolation at all":               {file: "[clusters.eu]\nisolations = []\n", want: []string{"t.toml:2", "clusters.eu.isolations = []", "collection, shared, database"}},
		"one place twice":                   {file: "[clusters.a]\nurl = \"sqlite:x\"\n[clusters.b]\nurl = \"sqlite:x\"\n", want: []string{"t.toml:4", "clusters.b.url", "clusters.a"}},
		"one place, written otherwise":      {file: "[clusters.a]\nurl = \"sqlite:x\"\n[clusters.b]\nurl = \"sqlite:./y/../x\"\n", want: []string{"t.toml:4", "clusters.a"}},
		"registry in a cluster":             {file: "[registry]\nurl = \"sqlite:clusters/default/r.db\"\n", want: []string{"t.toml:2", "registry.url", "clusters.default"}},
		"cluster's name":                    {file: "[clusters.A_B]\nurl = \"sqlite:x\"\n", want: []string{"t.toml:2", "clusters.A_B", "lower-case"}, never: "unknown"},
		"cluster's name in the environment": {env: []string{"TENANTRY_CLUSTERS_-A_URL=sqlite:x"}, want: []string{"TENANTRY_CLUSTERS_-A_URL", "lower-case"}},
		"cluster's unknown key":             {file: "[clusters.eu]\nshard = 3\n", want: []string{"t.toml:2", `"clusters.eu.shards"`}},
		"same addresses":                    {file: "[admin]\nlisten = \"127.0.0.1:8000\"\n", want: []string{"t.toml:2", "admin.listen"}},
		"refresh too short":                 {file: "[tokens]\naccess_ttl = \"2h\"\nrefresh_ttl = \"1h\"\n", want: []string{"t.toml:3", "tokens.refresh_ttl", "2h"}},
		"unknown section":                   {file: "\n[pasword]\n", want: []string{"t.toml:2", `"pasword"`, "nearest"}},
		"section left out":                  {file: "bcrypt_cost = 12\n", want: []string{"t.toml:1", `"password.bcrypt_cost"`}},
		"far from any":                      {file: "zzz = 12\n", want: []string{"t.toml:1", "nearest known"}},
		"value for a section":               {file: "password = 12\n", want: []string{"t.toml:1", "write [password]"}},
		"section for a value":               {file: "[listen]\nport = 80\n", want: []string{"t.toml:2", `"listen.port"`, `"listen"`}},
		"section for a value, empty":        {file: "[listen]\n", want: []string{"t.toml:1", "listen = that", "text in quotes"}},
		"list of sections":                  {file: "[[clusters]]\nurl = \"sqlite:x\"\n", want: []string{"clusters"}},
		"inline":                            {file: "\npassword = {bcrypt_cost = 40}\n", want: []string{"t.toml:2", "password.bcrypt_cost", "4 to 16"}},
		"dotted in quotes":                  {file: "\"password.bcrypt_cost\" = 11\n", want: []string{"t.toml:1", "unknown"}},
		"one bad of many":                   {file: "trusted_proxies = [\n\"10.0.0.0/8\",\n\"x/9\"]\n", want: []string{"t.toml:1", `"x/9": each`}},
		"number too large":                  {file: "\n[password]\nbcrypt_cost = 99999999999999999999\n", want: []string{"t.toml:3", "too large"}},
		"path of Windows":                   {file: "data_dir = \"C:\\data\"\n", want: []string{"t.toml:1", "single quotes"}},
		"not UTF-8":                         {file: "signup = \"open\"\n# caf\xe9\n", want: []string{"t.toml:2", "not UTF-8"}},
		"UTF-16":                            {file: "\xff\xfes\x00i\x00", want: []string{"t.toml:1", "not UTF-8"}},
		"NUL":                               {file: "data_dir = \"a\\u0000b\"\n", want: []string{"t.toml:1", "data_dir"}},
		"huge":                              {file: strings.Repeat("# filler\n", 1<<17), want: []string{"t.toml", "larger than 1MiB"}},
		"huge key":                          {file: strings.Repeat("k", 1<<19) + " = 1\n", want: []string{"t.toml:1", "nearest"}},
		"huge value":                        {file: "listen = \"" + strings.Repeat("é", 1<<18) + "\"\n", want: []string{"t.toml:1", "…"}},
		"secret's file is a folder":         {env: []string{"TENANTRY_SEAL_KEY_FILE=/"}, want: []string{"TENANTRY_SEAL_KEY_FILE", "/"}},
		"secret's file is not named":        {env: []string{"TENANTRY_SEAL_KEY_FILE="}, want: []string{"TENANTRY_SEAL_KEY_FILE", "empty"}},
		"secret's file is empty":            {env: []string{"TENANTRY_SEAL_KEY_FILE=" + os.DevNull}, want: []string{"TENANTRY_SEAL_KEY_FILE", "empty"}},
		"secret by flag":                    {flags: map[string]string{"seal_key": secret}, want: []string{"no flag"}, never: secret},
		"environment":                       {env: []string{"TENANTRY_LISTEN=nowhere"}, want: []string{"TENANTRY_LISTEN", `"nowhere"`, "127.0.0.1:8000"}},
		"flag":                              {flags: map[string]string{"listen": "nowhere"}, want: []string{"--listen", "127.0.0.1:8000"}},
		"secret not shown":                  {file: "seal_key = \"" + secret + "\"\n", want: []string{"seal_key", "32 random bytes"}, never: secret},
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
	file := write(t, "listen = \"127.0.0.1:1\"\nsignup = \"closed\"\n[password]\nbcrypt_cost = 11\n[clusters.eu]\nurl = \"sqlite:eu\"\n[clusters.far-east]\n")
	key := write(t, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n")
	cfg, report, err := config.Load(config.Options{
		File:    file,
		Environ: []string{"TENANTRY_LISTEN=127.0.0.1:2", "TENANTRY_PASSWORD_BCRYPT_COST=10", "TENANTRY_SEAL_KEY_FILE=" + key, "TENANTRY_LISTN=x", "TENANTRY_KEY=k", "TENANTRY_CLUSTERS_US_SHARDS=8", "TENANTRY_CLUSTERS_FAR_EAST_SHARDS=9", "TENANTRY_CLUSTERS_US_MAX_NAMESPACES=70", "TENANTRY_CLUSTERS_US_ISOLATIONS=collection,shared", "TENANTRY_CORS_ORIGINS= https://a.example , https://b.example,", "TENANTRY_TRUSTED_PROXIES="},
		Flags:   map[string]string{"listen": "127.0.0.1:3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Listen != "127.0.0.1:3" || cfg.Password.BcryptCost != 10 || cfg.Signup != "closed" || cfg.SealKey == "" {
		t.Errorf("loaded %+v", cfg)
	}
	all := []string{"collection", "shared", "database"}
	want := map[string]config.Cluster{"eu": {URL: "sqlite:eu", Shards: 64, Isolations: all},
		"us":       {URL: "sqlite:clusters/us", Shards: 8, Isolations: all[:2], MaxNamespaces: 70},
		"far-east": {URL: "sqlite:clusters/far-east", Shards: 9, Isolations: all}}
	if !reflect.DeepEqual(cfg.Clusters, want) || cfg.PlacementClusters()[0] != "eu" {
		t.Errorf("clusters %+v, new ones in %q", cfg.Clusters, cfg.PlacementClusters())
	}
	if want := []string{"https://a.example", "https://b.example"}; !reflect.DeepEqual(cfg.CORS.Origins, want) || len(cfg.TrustedProxies) != 0 {
		t.Errorf("lists from the environment: %q, %q", cfg.CORS.Origins, cfg.TrustedProxies)
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

func TestClusterOfNewOrganizations(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"":                                      "default",
		"[clusters.west]\n[clusters.east]\n":    "west",
		"[clusters.west]\n[clusters.default]\n": "default",
		"[clusters.west]\n[clusters.east]\n[placement]\ncluster = \"east\"":              "east",
		"[clusters.west]\n[clusters.east]\n[placement]\nclusters = [\"east\", \"west\"]": "east west",
	} {
		cfg, _, err := config.Load(config.Options{File: write(t, file), Environ: []string{"TENANTRY_CLUSTERS_AAA_SHARDS=8"}[:min(1, len(file))]})
		if err != nil || strings.Join(cfg.PlacementClusters(), " ") != want {
			t.Errorf("%q: new organizations go to %q, want %q; %v", file, cfg.PlacementClusters(), want, err)
		}
	}
}

func TestPlacementRules(t *testing.T) {
	t.Parallel()
	file := `placement.rules = ["region=eu -> cluster=eu-1|eu-2", " plan = big deal  -> isolation=database   cluster=default", "a b=c=d -> isolation=shared"]`
	cfg, _, err := config.Load(config.Options{File: write(t, file)})
	want := []config.PlacementRule{
		{Field: "region", Value: "eu", Clusters: []string{"eu-1", "eu-2"}},
		{Field: "plan", Value: "big deal", Clusters: []string{"default"}, Isolation: "database"},
		{Field: "a b", Value: "c=d", Isolation: "shared"},
	}
	if err != nil || !reflect.DeepEqual(cfg.Placement.Parsed(), want) {
		t.Errorf("rules %+v, want %+v; %v", cfg.Placement.Parsed(), want, err)
	}
}

// Whether a cluster is there can only be said when those that were added are
// known.
func TestClustersThatThePlacementNames(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][]string{
		"[placement]\ncluster = \"eu\"\n":                               {"t.toml:2: placement.cluster = \"eu\"", "there are: added, default"},
		"[placement]\nclusters = [\"default\", \"added\", \"eu\"]\n":    {"t.toml:2: placement.clusters", "no cluster \"eu\""},
		"[placement]\nrules = [\"a=b -> cluster=default|eu\"]\n":        {"t.toml:2: placement.rules", "no cluster \"eu\""},
		"[placement]\nrules = [\"a=b -> cluster=default|added\"]\n":     nil,
		"[placement]\ncluster = \"added\"\n":                            nil,
		"[clusters.other]\n[placement]\nclusters = [\"other\", \"eu\"]": {"there are: added, other"},
	} {
		cfg, _, err := config.Load(config.Options{File: write(t, file)})
		if err != nil {
			t.Errorf("%q: %v", file, err)
			continue
		}
		err = cfg.CheckClusters([]string{"added"})
		if (err == nil) != (want == nil) {
			t.Errorf("%q: %v", file, err)
		}
		for _, part := range want {
			if err != nil && !strings.Contains(err.Error(), part) {
				t.Errorf("%q: the error does not say %q: %v", file, part, err)
			}
		}
	}
}

func TestWarnsOfCutoversThatCannotBe(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"placement_lease = \"3s\"\n":  "not more than twice placement_lease, 3s",
		"cutover_timeout = \"15s\"\n": "not less than http.request_timeout, 15s",
		"cutover_timeout = \"8s\"\n":  "",
	} {
		_, report, err := config.Load(config.Options{File: write(t, file)})
		if got := strings.Join(report.Warnings, ""); err != nil || (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q: warnings %q, want %q; %v", file, got, want, err)
		}
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

// What editors do to a file does not change what it says.
func TestSpellings(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"byte order mark": "\uFEFFsignup = \"closed\"\n[password]\nbcrypt_cost = 11\n",
		"CRLF":            "signup = \"closed\"\r\n\r\n[password]\r\nbcrypt_cost = 11\r\n",
		"no last newline": "signup = 'closed'\npassword.bcrypt_cost = 11",
		"inline":          "signup = \"closed\"\npassword = { bcrypt_cost = 0xB }\n",
		"empty sections":  "signup = \"closed\"\n[cors]\n[clusters]\n[password]\nbcrypt_cost = 11\n[log]\n",
	} {
		cfg, _, err := config.Load(config.Options{File: write(t, text)})
		if err != nil || cfg.Signup != "closed" || cfg.Password.BcryptCost != 11 {
			t.Errorf("%s: signup %q, bcrypt_cost %d, %v", name, cfg.Signup, cfg.Password.BcryptCost, err)
		}
	}
	cfg, _, err := config.Load(config.Options{File: write(t, `data_dir = 'C:\data'`)})
	if err != nil || cfg.DataDir != `C:\data` {
		t.Errorf("a path of Windows in single quotes: %q, %v", cfg.DataDir, err)
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, _, err := config.Load(config.Options{File: dir}); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder instead of a file: %v", err)
	}
}

// A typing error is warned of also where something else is refused.
func TestWarningsBesideErrors(t *testing.T) {
	t.Parallel()
	_, report, err := config.Load(config.Options{Environ: []string{"TENANTRY_LISTN=x", "TENANTRY_SIGNUP=x", "TENANTRY_LISTEN_FILE=/x", "TENANTRY_BCRYPT_COST=4"}})
	if err == nil || len(report.Warnings) != 3 {
		t.Fatalf("error %v, warnings %q", err, report.Warnings)
	}
	for i, want := range [][2]string{{"TENANTRY_BCRYPT_COST", "TENANTRY_PASSWORD_BCRYPT_COST"}, {"TENANTRY_LISTEN_FILE", `"TENANTRY_LISTEN"`}, {"TENANTRY_LISTN", `"TENANTRY_LISTEN"`}} {
		if w := report.Warnings[i]; !strings.Contains(w, want[0]) || !strings.Contains(w, want[1]) {
			t.Errorf("warning %q does not name %q", w, want)
		}
	}
}

func TestWarnsOfOpenSecrets(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows keeps no such bits")
	}
	for text, want := range map[string]int{
		"seal_key = \"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\"\n": 1,
		"seal_key = \"\"\n":   0,
		"signup = \"open\"\n": 0,
	} {
		file := write(t, text)
		for mode, open := range map[os.FileMode]int{0o600: 0, 0o640: 0, 0o644: 1} {
			if err := os.Chmod(file, mode); err != nil {
				t.Fatal(err)
			}
			_, report, err := config.Load(config.Options{File: file})
			if err != nil || len(report.Warnings) != want*open {
				t.Errorf("%q with mode %04o: %q, %v", text, mode, report.Warnings, err)
			}
		}
	}
}
