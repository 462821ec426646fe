package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	envPrefix  = "TENANTRY_"
	fileSuffix = "_FILE"
)

// otherVariables are TENANTRY_… of the command line, not keys.
var otherVariables = []string{"TENANTRY_CONFIG", "TENANTRY_KEY", "TENANTRY_KEY_FILE", "TENANTRY_URL"}

// variable is a setting of the environment. One that is set and empty sets the
// empty value.
type variable struct {
	name, key, text string
}

// EnvName is the variable of a key.
func EnvName(key string) string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// readEnvironment finds the variables that are keys, reads the files that
// TENANTRY_…_FILE name, and warns of those that are nothing.
func (l *loader) readEnvironment(environ []string) []variable {
	given := map[string]string{}
	for _, e := range environ {
		if name, text, ok := strings.Cut(e, "="); ok && strings.HasPrefix(name, envPrefix) {
			given[name] = text
		}
	}
	keys := map[string]Key{}
	for _, k := range l.keys {
		keys[EnvName(k.Name)] = k
	}
	var out []variable
	for _, name := range sortedKeys(given) {
		if k, ok := keys[name]; ok {
			if _, both := given[name+fileSuffix]; both && k.fromFile() {
				l.problem("%s and %s are both set; take one away", name, name+fileSuffix)
				continue
			}
			out = append(out, variable{name: name, key: k.Name, text: given[name]})
			continue
		}
		if k, ok := keys[strings.TrimSuffix(name, fileSuffix)]; ok && strings.HasSuffix(name, fileSuffix) && k.fromFile() {
			text, err := readSecret(given[name])
			if err != nil {
				l.problem("%s: %w", name, err)
				continue
			}
			out = append(out, variable{name: name, key: k.Name, text: text})
			continue
		}
		if key, ok := clusterVariable(strings.TrimSuffix(name, fileSuffix)); ok && strings.HasSuffix(name, "_URL"+fileSuffix) {
			if _, both := given[strings.TrimSuffix(name, fileSuffix)]; both {
				l.problem("%s and %s are both set; take one away", strings.TrimSuffix(name, fileSuffix), name)
				continue
			}
			text, err := readSecret(given[name])
			if err != nil {
				l.problem("%s: %w", name, err)
				continue
			}
			out = append(out, variable{name: name, key: key, text: text})
			continue
		}
		if key, ok := clusterVariable(name); ok {
			out = append(out, variable{name: name, key: key, text: given[name]})
			continue
		}
		if !slices.Contains(otherVariables, name) && !strings.HasPrefix(name, "TENANTRY_TEST_") {
			l.warnings = append(l.warnings, "the environment variable "+name+" is nothing this version knows"+nearestOf(name, envNames(keys)))
		}
	}
	return out
}

// secretLimit is far more than a secret has, and little enough to read
// whatever lies there.
const secretLimit = 64 << 10

// readSecret reads the file that a variable names. An empty one is an error:
// what is mounted too late must not mean "none".
func readSecret(path string) (string, error) {
	if path == "" {
		return "", errors.New("it is empty; name a file, or unset it")
	}
	raw, err := readBounded(path, secretLimit)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(raw))
	if text == "" {
		return "", fmt.Errorf("the file %s is empty", path)
	}
	return text, nil
}

// clusterVariable reads TENANTRY_CLUSTERS_NAME_URL and the like; an underscore
// in NAME is a hyphen, since a cluster's name has no other.
func clusterVariable(name string) (key string, ok bool) {
	rest, ok := strings.CutPrefix(name, envPrefix+"CLUSTERS_")
	if !ok {
		return "", false
	}
	for _, field := range []string{"URL", "SHARDS", "ISOLATIONS", "MAX_NAMESPACES"} {
		if cluster, ok := strings.CutSuffix(rest, "_"+field); ok && cluster != "" {
			return "clusters." + strings.ToLower(strings.ReplaceAll(cluster, "_", "-")) + "." + strings.ToLower(field), true
		}
	}
	return "", false
}

func envNames(keys map[string]Key) []string {
	names := make([]string, 0, len(keys))
	for name := range keys {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
