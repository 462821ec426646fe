package config

import (
	"fmt"
	"strings"
)

const exampleHead = `# Tenantry's configuration. Every key stands here with its default, so a file
# with nothing in it means the same as this one, and none is needed at all.
#
# Each key is also an environment variable, TENANTRY_SECTION_KEY (such as
# TENANTRY_PASSWORD_BCRYPT_COST), which wins over the file; a secret may come from
# a file that TENANTRY_…_FILE names. Flags win over both.
# "tenantry config show" says what is in force and where it came from.
`

// Example is a file with every key, what it is for, and its default.
func Example() string {
	var b strings.Builder
	b.WriteString(exampleHead)
	section := ""
	keys := Keys()
	for i, k := range keys {
		// The clusters follow the registry.
		if i > 0 && keys[i-1].Name == "registry.url" {
			for _, k := range ClusterKeys(DefaultCluster) {
				section = writeKey(&b, k, section)
			}
		}
		section = writeKey(&b, k, section)
	}
	return b.String()
}

func writeKey(b *strings.Builder, k Key, section string) string {
	name := k.Name
	at := ""
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		at, name = name[:i], name[i+1:]
	}
	b.WriteByte('\n')
	if at != section {
		fmt.Fprintf(b, "[%s]\n", at)
	}
	for _, line := range strings.Split(k.Help, "\n") {
		fmt.Fprintf(b, "# %s\n", line)
	}
	fmt.Fprintf(b, "%s = %s\n", name, tomlText(k.Default))
	return at
}

func tomlText(raw any) string {
	switch v := raw.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = fmt.Sprintf("%q", s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	return fmt.Sprint(raw)
}
