package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
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
// each with its key, where it stands, and what is allowed; the report then has
// the warnings alone.
func Load(opts Options) (Config, Report, error) {
	l := &loader{cfg: Default(), origins: map[string]string{}}
	l.keys = append(l.keys, Keys()...)
	file, settings, err := readFile(opts)
	if err != nil {
		return Config{}, Report{}, err
	}
	env := l.readEnvironment(opts.Environ)
	l.defineClusters(file, settings, env)
	for _, s := range settings {
		l.fromFile(file, s)
	}
	l.warnOfOpenSecrets(file)
	for _, v := range env {
		l.fromEnvironment(v)
	}
	for _, name := range sortedKeys(opts.Flags) {
		l.fromFlag(name, opts.Flags[name])
	}
	l.crossCheck()
	if len(l.problems) > 0 {
		return Config{}, Report{Warnings: l.warnings}, errors.Join(l.problems...)
	}
	return l.cfg, l.report(file), nil
}

type loader struct {
	cfg      Config
	keys     []Key
	origins  map[string]string
	misnamed []string // clusters, by the names that they cannot have
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

// fileLimit is many times the example; a file that is larger is not one of ours.
const fileLimit = 1 << 20

func readFile(opts Options) (string, []setting, error) {
	file := opts.File
	if file == "" {
		file = DefaultFile
	}
	data, err := readBounded(file, fileLimit)
	if errors.Is(err, fs.ErrNotExist) && opts.File == "" {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	settings, err := parseTOML(file, data)
	return file, settings, err
}

// readBounded reads a file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s is larger than %s", path, formatSize(limit))
	}
	return data, err
}

// section reports whether keys can stand below the name.
func (l *loader) section(name string) bool {
	return name == clustersSection || slices.ContainsFunc(l.keys, func(k Key) bool {
		return strings.HasPrefix(k.Name, name+".")
	})
}

func (l *loader) fromFile(file string, s setting) {
	where := fmt.Sprintf("%s:%d", file, s.line)
	if name, ok := clusterIn(s.name); ok && slices.Contains(l.misnamed, name) {
		return
	}
	k, ok := l.key(s.name)
	_, empty := s.raw.(emptySection)
	switch {
	case ok:
		l.set(k, where, fmt.Sprintf("%s: %s = %s", where, k.Name, shown(k, s.raw)), func(v value) error { return v.fromTOML(s.raw) })
	case !l.section(s.name):
		l.problem("%s: unknown key %q%s", where, s.name, l.nearest(s.name))
	case !empty:
		l.problem("%s: %q is a section: write [%s] and its keys below it", where, s.name, s.name)
	}
}

// warnOfOpenSecrets is for a file that holds a secret and that everybody on
// the machine can read.
func (l *loader) warnOfOpenSecrets(file string) {
	for _, k := range l.keys {
		value := k.value(&l.cfg).get()
		text, _ := value.(string)
		secret := k.Secret && text != "" || k.Storage && withoutPassword(text) != text
		if !secret || l.origins[k.Name] == "" {
			continue
		}
		// Windows keeps no such bits.
		if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o007 != 0 && runtime.GOOS != "windows" {
			l.warnings = append(l.warnings, fmt.Sprintf("%s holds %s and can be read by everybody (mode %04o); close it with chmod 600, or give the secret by %s",
				file, k.Name, info.Mode().Perm(), EnvName(k.Name)+fileSuffix))
		}
	}
}

func (l *loader) fromEnvironment(v variable) {
	if k, ok := l.key(v.key); ok {
		l.set(k, v.name, v.name+"="+shown(k, v.text), func(to value) error { return to.fromText(v.text) })
	}
}

func (l *loader) fromFlag(name, text string) {
	k, ok := l.key(name)
	flag := "--" + k.FlagName()
	if !ok || k.Secret {
		l.problem("there is no flag for the key %q", name)
		return
	}
	l.set(k, flag, flag+" "+shown(k, text), func(v value) error { return v.fromText(text) })
}

func (l *loader) set(k Key, origin, told string, set func(value) error) {
	if err := set(k.value(&l.cfg)); err != nil {
		l.problem("%s: %w", told, err)
		return
	}
	l.origins[k.Name] = origin
}

func (l *loader) report(file string) Report {
	r := Report{File: file, Warnings: l.warnings}
	for _, k := range l.keys {
		origin := l.origins[k.Name]
		if origin == "" {
			origin = "default"
		}
		raw := k.value(&l.cfg).get()
		switch text, _ := raw.(string); {
		case k.Secret:
			raw = mask(raw)
		case k.Storage:
			raw = withoutPassword(text)
		}
		r.Entries = append(r.Entries, Entry{Key: k.Name, Value: raw, Origin: origin})
	}
	return r
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
