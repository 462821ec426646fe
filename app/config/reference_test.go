package config_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tenantry/app/config"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

// docs/configuration.md is made from the table of keys.
func TestReference(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "configuration.md")
	want := reference(t)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/configuration.md is not what the table of keys says; write it anew with: go test ./app/config -run TestReference -update")
	}
}

func reference(t *testing.T) string {
	t.Helper()
	head, err := os.ReadFile(filepath.Join("testdata", "reference.md"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.Write(head)
	section := "none"
	for _, k := range config.Keys() {
		at := sectionOf(k.Name)
		if at != section {
			section = at
			if at == "" {
				b.WriteString("\n## At the top of the file\n")
			} else {
				fmt.Fprintf(&b, "\n## `[%s]`\n", at)
			}
		}
		describe(&b, k, k.Name)
		if k.Name == "registry.url" {
			b.WriteString("\n## `[clusters.NAME]`\n\nA section for each cluster, such as `[clusters.default]`. As soon as one is named\n" +
				"there, in a file or in the environment, the one called `default` is there only if it is named as well.\n")
			for _, k := range config.ClusterKeys("NAME") {
				describe(&b, k, k.Name)
			}
		}
	}
	return b.String()
}

func sectionOf(key string) string {
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		return key[:i]
	}
	return ""
}

func describe(b *strings.Builder, k config.Key, name string) {
	fmt.Fprintf(b, "\n### `%s`\n\n%s\n\n", name, strings.ReplaceAll(k.Help, "\n", " "))
	fmt.Fprintf(b, "- Default: %s\n", code(k.Default))
	fmt.Fprintf(b, "- Allowed: %s\n", k.Allowed())
	fmt.Fprintf(b, "- Environment: `%s`", config.EnvName(name))
	if k.Secret || k.Storage {
		fmt.Fprintf(b, ", or a file that `%s_FILE` names", config.EnvName(name))
	}
	b.WriteString("\n")
	if flag := k.FlagName(); flag != "" && !strings.HasPrefix(name, "clusters.") {
		fmt.Fprintf(b, "- Flag: `--%s`\n", flag)
	}
}

func code(v any) string {
	switch v := v.(type) {
	case string:
		if v == "" {
			return "empty"
		}
		return fmt.Sprintf("`%q`", v)
	case []string:
		return "`[]`"
	}
	return fmt.Sprintf("`%v`", v)
}
