package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// DefaultFile is read when it is there and no other is named.
const DefaultFile = "tenantry.toml"

// Options are where a configuration comes from.
type Options struct {
	// File must exist when it is named; empty, DefaultFile is read if it exists.
	File string
	// Environ is as os.Environ gives it.
	Environ []string
	// Flags are values by the keys' names.
	Flags map[string]string
}

// Report says where each value came from, and what is odd.
type Report struct {
	// File that was read, or "".
	File     string
	Entries  []Entry
	Warnings []string
}

// Entry is one key as it is in force.
type Entry struct {
	Key string `json:"key"`
	// Value is text, a number, true or false, or a list; a secret is masked.
	Value any `json:"value"`
	// Origin is "default", "FILE:LINE", "TENANTRY_…" or "--flag".
	Origin string `json:"origin"`
}

// Load reads the configuration. The error names all that is wrong at once,
// each with its key, where it stands, and what is allowed.
func Load(opts Options) (Config, Report, error) {
	l := &loader{cfg: Default(), origins: map[string]string{}, secrets: map[string]bool{}}
	l.keys = append(l.keys, Keys()...)
	file, settings, err := l.readFile(opts)
	if err != nil {
		return Config{}, Report{}, err
	}
	env := l.readEnvironment(opts.Environ)
	l.defineClusters(settings, env)
	for _, s := range settings {
		l.fromFile(file, s)
	}
	for _, v := range env {
		l.fromEnvironment(v)
	}
	for _, name := range sortedKeys(opts.Flags) {
		l.fromFlag(name, opts.Flags[name])
	}
	l.crossCheck()
	if len(l.problems) > 0 {
		return Config{}, Report{}, errors.Join(l.problems...)
	}
	return l.cfg, l.report(file), nil
}

type loader struct {
	cfg      Config
	keys     []Key
	origins  map[string]string
	secrets  map[string]bool
	problems []error
	warnings []string
}

func (l *loader) problem(format string, args ...any) {
	l.problems = append(l.problems, fmt.Errorf(format, args...))
}

func (l *loader) key(name string) (Key, bool) {
	for _, k := range l.keys {
		if k.Name == name {
			return k, true
		}
	}
	return Key{}, false
}

func (l *loader) readFile(opts Options) (string, []setting, error) {
	file := opts.File
	if file == "" {
		file = DefaultFile
	}
	data, err := os.ReadFile(filepath.Clean(file))
	if errors.Is(err, fs.ErrNotExist) && opts.File == "" {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	settings, err := parseTOML(file, data)
	return file, settings, err
}

// defineClusters replaces the one default cluster by those that are named.
func (l *loader) defineClusters(settings []setting, env []variable) {
	var names []string
	add := func(key string) {
		if parts := strings.Split(key, "."); len(parts) == 3 && parts[0] == "clusters" && !slices.Contains(names, parts[1]) {
			names = append(names, parts[1])
		}
	}
	for _, s := range settings {
		add(s.name)
	}
	for _, v := range env {
		add(v.key)
	}
	if len(names) > 0 {
		l.cfg.Clusters = map[string]Cluster{}
	} else {
		names = []string{DefaultCluster}
	}
	for _, name := range names {
		if err := checkClusterName(name); err != nil {
			l.problem("clusters.%s: %w", name, err)
			continue
		}
		l.cfg.Clusters[name] = defaultCluster(name)
		l.keys = append(l.keys, clusterKeys(name)...)
	}
}

func (l *loader) fromFile(file string, s setting) {
	where := fmt.Sprintf("%s:%d", file, s.line)
	k, ok := l.key(s.name)
	if !ok {
		l.problem("%s: unknown key %q%s", where, s.name, l.nearest(s.name))
		return
	}
	if err := k.value(&l.cfg).fromTOML(s.raw); err != nil {
		l.problem("%s: %s = %s: %w", where, k.Name, shown(k, s.raw), err)
		return
	}
	l.origins[k.Name] = where
}

func (l *loader) fromEnvironment(v variable) {
	k, ok := l.key(v.key)
	if !ok {
		return
	}
	if err := k.value(&l.cfg).fromText(v.text); err != nil {
		l.problem("%s=%s: %w", v.name, shown(k, v.text), err)
		return
	}
	l.origins[k.Name] = v.origin
}

func (l *loader) fromFlag(name, text string) {
	flag := "--" + strings.ReplaceAll(name, "_", "-")
	k, ok := l.key(name)
	if !ok {
		l.problem("%s: there is no key %q", flag, name)
		return
	}
	if err := k.value(&l.cfg).fromText(text); err != nil {
		l.problem("%s %s: %w", flag, shown(k, text), err)
		return
	}
	l.origins[k.Name] = flag
}

// crossCheck holds what no single key can.
func (l *loader) crossCheck() {
	c := l.cfg
	if name := c.Placement.Cluster; name != "" {
		if _, there := c.Clusters[name]; !there {
			l.problem("placement.cluster = %q: there is no such cluster; there are: %s", name, strings.Join(c.ClusterNames(), ", "))
		}
	}
	if c.Admin.Listen != "" && c.Admin.Listen == c.Listen {
		l.problem("admin.listen = %q: it must differ from listen", c.Admin.Listen)
	}
	if c.Tokens.RefreshTTL < c.Tokens.AccessTTL {
		l.problem("tokens.refresh_ttl = %q: it must not be shorter than tokens.access_ttl", shortDuration(c.Tokens.RefreshTTL))
	}
	places := map[string]string{}
	for _, name := range c.ClusterNames() {
		url := filepath.Clean(c.Clusters[name].URL)
		if other, taken := places[url]; taken {
			l.problem("clusters.%s.url: it is the same as that of clusters.%s", name, other)
		}
		places[url] = name
	}
	if c.Password.BcryptCost < 10 {
		l.warnings = append(l.warnings, fmt.Sprintf("password.bcrypt_cost is %d: below 10 is for tests; passwords can be guessed", c.Password.BcryptCost))
	}
}

func (l *loader) report(file string) Report {
	r := Report{File: file, Warnings: l.warnings}
	for _, k := range l.keys {
		origin := l.origins[k.Name]
		if origin == "" {
			origin = "default"
		}
		raw := k.value(&l.cfg).get()
		if k.Secret {
			raw = mask(raw)
		}
		r.Entries = append(r.Entries, Entry{Key: k.Name, Value: raw, Origin: origin})
	}
	return r
}

const masked = "********"

func mask(raw any) any {
	if raw == "" {
		return ""
	}
	return masked
}

// shown is a refused value as it may be repeated.
func shown(k Key, raw any) string {
	if k.Secret {
		return masked
	}
	switch v := raw.(type) {
	case nil:
		return "that"
	case string:
		if len(v) > 80 {
			v = v[:80] + "…"
		}
		return fmt.Sprintf("%q", v)
	default:
		return fmt.Sprint(v)
	}
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
