package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tenantry/app/config"
)

// refused are values that have the right type and are not allowed, as text, for
// every key but those that take true or false.
var refused = map[string][]string{
	"listen":             {"", "nowhere", "127.0.0.1", ":", ":http", ":65536", ":-1", ":+80", "a b:80", "::1:80", "[::1:80", "http://x:80", "x:80/y"},
	"data_dir":           {"", "  "},
	"public_url":         {"orgs.example.com", "ftp://x", "https://", "https://u:p@x", "https://x/?q=1", "https://x/#f", "https://x y"},
	"signup":             {"", "Open", "invite", "true"},
	"seal_key":           {"x", "MDEyMzQ1Njc4OQ==", strings.Repeat("A", 43) + "=", strings.Repeat("A", 44), "%%%"},
	"trusted_proxies":    {"10.0.0.1", "10.0.0.0/33", "10.0.0.0/", "proxy/8", "::ffff:10.0.0.0/104", "fe80::%eth0/64", "*"},
	"deletion_retention": {"", "-1h", "30d", "9999999h", "never"},
	"placement_lease":    {"0s", "199ms", "61s", "1"},
	"operation_wait":     {"0s", "9ms", "61s", "5"},
	"cutover_timeout":    {"", "0s", "499ms", "11m", "5"},
	"relocation_grace":   {"", "-1s", "1d"},

	"relocation_documents_per_second": {"-1", "10000001"},
	"relocation_bytes_per_second":     {"", "0", "-1B", "8MB", "2000GiB"},
	"registry.url": {"", "registry.db", "sqlite:", "sqlite: ", "sqlite://x", "sqlite:x?mode=ro", "sqlite:x#y", "sqlite:a%20b", "file:x",
		"mongodb:h", "mongodb://", "mongodb://h/a.b", "mongodb://h/?nonsense=1", "mongodb://h/?w=x&maxPoolSize=-1", "mongodb+srv://h,i", "mongodb+srv://h:1/x", "mongodb://h:70000"},
	"placement.cluster":   {"A", "-a", "a-", "a_b", "a.b", strings.Repeat("a", 41)},
	"placement.isolation": {"", "schema", "Collection", "shared|database"},
	"placement.clusters":  {"A", "a_b", "a|b"},
	"placement.rules": {"region", "region=eu", "=eu -> cluster=a", "region= -> cluster=a", "region=eu ->", "region=eu -> eu", "region=eu -> cluster=", "region=eu -> cluster=A",
		"region=eu -> cluster=a|", "region=eu -> isolation=none", "region=eu -> isolation=shared isolation=shared", "region=eu -> cluster=a cluster=b", "region=eu -> place=a", "region=eu->cluster=a"},
	"password.bcrypt_cost":     {"3", "17", "-12", "0"},
	"password.workers":         {"-1", "65"},
	"password.max_wait":        {"", "4", "99ms", "61s", "-4s", "4 s", "soon"},
	"tokens.issuer":            {"", "  "},
	"tokens.audience":          {""},
	"tokens.access_ttl":        {"", "15", "999ms", "25h", "15min", "1d"},
	"tokens.refresh_ttl":       {"59s", "9999999h", "30d"},
	"tokens.key_rotation":      {"59m", "9999999h", "1w"},
	"http.body_limit":          {"", "1048576", "1MB", "1mib", "1.5MiB", "-1MiB", "1023B", "65MiB", "99999999999GiB", "9223372036854775807GiB", "MiB"},
	"http.header_limit":        {"4095B", "2MiB", "16K"},
	"http.read_timeout":        {"0s", "2h"},
	"http.write_timeout":       {"0s", "2h"},
	"http.idle_timeout":        {"0s", "2h"},
	"http.request_timeout":     {"0s", "2h"},
	"http.shutdown_timeout":    {"0s", "2h"},
	"rate_limit.requests":      {"0", "-1", "1000001"},
	"rate_limit.window":        {"0s", "25h"},
	"rate_limit.max_addresses": {"999", "10000001"},
	"cors.origins": {"*", "null", "app.example.com", "https://app.example.com/", "https://App.example.com", "HTTPS://app.example.com",
		"https://app.example.com:443", "http://app.example.com:80", "https://app.example.com:", "https://*.example.com", "https://u@app.example.com", "ftp://x"},
	"admin.listen": {"8001", "localhost", ":x"},
	"log.level":    {"", "loud", "INFO", "warning"},
	"log.format":   {"", "xml", "JSON"},
	"log.requests": {"", "some", "ALL"},

	"clusters.default.url":    {"", "sqlite:", "mongodb://h/x y", "mongodb:///x"},
	"clusters.default.shards": {"0", "-1", "1025"},

	"clusters.default.isolations":     {"none", "Shared"},
	"clusters.default.max_namespaces": {"-1", "10000001"},
}

// keysOfOneCluster are all keys, as Load reports them.
func keysOfOneCluster() []config.Key { return append(config.Keys(), config.ClusterKeys("default")...) }

// tomlOf is the text of a value of the key as a file has it.
func tomlOf(k config.Key, text string) string {
	switch k.Default.(type) {
	case int64, bool:
		return text
	case []string:
		return fmt.Sprintf("[%q]", text)
	}
	return fmt.Sprintf("%q", text)
}

func TestEveryKeyRefusesWhatIsNotAllowed(t *testing.T) {
	t.Parallel()
	for _, k := range keysOfOneCluster() {
		values := refused[k.Name]
		if _, isBool := k.Default.(bool); isBool {
			values = []string{"yes", "2", ""}
		}
		if len(values) == 0 {
			t.Errorf("%s: no value is tried that must be refused", k.Name)
		}
		for _, text := range values {
			ways := map[string]config.Options{}
			if _, isBool := k.Default.(bool); !isBool {
				ways["t.toml:2: "+k.Name+" = "] = config.Options{File: write(t, "\n"+k.Name+" = "+tomlOf(k, text)+"\n")}
			}
			_, isList := k.Default.([]string)
			ways[config.EnvName(k.Name)+"="] = config.Options{Environ: []string{config.EnvName(k.Name) + "=" + text}}
			if !k.Secret && !strings.HasPrefix(k.Name, "clusters.") {
				ways["--"+k.FlagName()+" "] = config.Options{Flags: map[string]string{k.Name: text}}
			}
			for where, opts := range ways {
				if isList && text == "" {
					continue // no list is allowed
				}
				_, _, err := config.Load(opts)
				if err == nil {
					t.Errorf("%s%q was accepted", where, text)
					continue
				}
				told := err.Error()
				for _, want := range []string{where, allowed(k)} {
					if !strings.Contains(told, want) {
						t.Errorf("%s%q: the error does not say %q:\n%s", where, text, want, told)
					}
				}
				if !k.Secret && !strings.Contains(told, strings.Trim(fmt.Sprintf("%.60q", text), `"`)) && !strings.Contains(text, "@") {
					t.Errorf("%s%q: the error does not name the value:\n%s", where, text, told)
				}
				if k.Secret && strings.Contains(told, text) {
					t.Errorf("%s: the error repeats a secret:\n%s", where, told)
				}
			}
		}
	}
}

// allowed is the part of an error that says what may be, at least.
func allowed(k config.Key) string {
	return strings.TrimPrefix(k.Allowed(), "a list; each is ")
}

func TestEveryKeyRefusesOtherTypes(t *testing.T) {
	t.Parallel()
	types := map[string]string{
		"text in quotes": `"12"`, "a whole number": "12", "true or false": "true", "a list of texts": `["10.0.0.0/8"]`,
		"float": "1.5", "time": "2020-01-01T00:00:00Z", "date": "2020-01-01", "numbers": "[1]", "mixed": `["a", 1]`, "tables": `[{a = 1}]`,
	}
	for _, k := range keysOfOneCluster() {
		own := map[string]string{"string": "text in quotes", "int64": "a whole number", "bool": "true or false", "[]string": "a list of texts"}[fmt.Sprintf("%T", k.Default)]
		for name, raw := range types {
			if name == own {
				continue
			}
			_, _, err := config.Load(config.Options{File: write(t, k.Name+" = "+raw+"\n")})
			if err == nil || !strings.Contains(err.Error(), "it must be "+own) || !strings.Contains(err.Error(), "t.toml:1: "+k.Name+" = ") {
				t.Errorf("%s = %s (%s): %v", k.Name, raw, name, err)
			}
		}
	}
}

// What is at the edge of the range is allowed.
func TestEdges(t *testing.T) {
	t.Parallel()
	for key, values := range map[string][]string{
		"listen":            {":0", ":65535", "[::1]:80", "[fe80::1%eth0]:80", "localhost:8000", "orgs-1.example.com:8000"},
		"public_url":        {"", "http://localhost:8000", "https://orgs.example.com/base/", "https://[::1]:8000"},
		"trusted_proxies":   {"10.0.0.0/8", "192.0.2.7/32", "::1/128", "0.0.0.0/0"},
		"registry.url":      {"sqlite:a/b.db", "sqlite:/srv/r.db", `sqlite:C:\data\r.db`},
		"placement.cluster": {""},
		"cutover_timeout":   {"500ms", "10m"}, "relocation_grace": {"0s", "876000h"},
		"relocation_bytes_per_second": {"0B", "1B", "1024GiB"},
		"password.bcrypt_cost":        {"4", "16"}, "password.workers": {"0", "64"}, "password.max_wait": {"100ms", "1m", "1m0s"},
		"tokens.access_ttl": {"1s", "24h", "1h30m"}, "tokens.refresh_ttl": {"876000h"},
		"http.body_limit": {"1KiB", "64MiB", "1024B", "1536 KiB"}, "http.header_limit": {"4KiB", "1MiB"},
		"rate_limit.requests": {"1", "1000000"},
		"cors.origins":        {"https://app.example.com", "http://localhost:5173", "https://[::1]:8443"},
	} {
		i := slices.IndexFunc(config.Keys(), func(k config.Key) bool { return k.Name == key })
		for _, text := range values {
			if _, _, err := config.Load(config.Options{Environ: []string{config.EnvName(key) + "=" + text}}); err != nil {
				t.Errorf("from the environment: %v", err)
			}
			if _, _, err := config.Load(config.Options{File: write(t, key+" = "+tomlOf(config.Keys()[i], text))}); err != nil {
				t.Errorf("from a file: %v", err)
			}
		}
	}
}
