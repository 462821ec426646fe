// Command bench measures the program's speed and size as ratios, each against
// the least that the same machine could do in the same moment, and prints them
// beside their targets. See docs/performance.md.
//
// It drives the real binary, built as a release is, on a processor core of its
// own, from another core. A slow machine is no failure: the exit code is 0
// unless something did not work.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// measurements are all there are, in the order of the table.
var measurements = []struct {
	name, about string
	run         func(*bench) ([]row, error)
}{
	{"get", "reading an organization", measureGet},
	{"documents", "durable creates of documents", measureDocuments},
	{"logins", "reading while passwords are checked", measureLogins},
	{"create", "creating organizations", measureCreate},
	{"size", "start, memory and cost with many organizations", measureSize},
	{"isolations", "what an organization costs in each isolation", measureIsolations},
	{"mongodb", "what acts cost on MongoDB", measureMongoDB},
	{"relocation", "moving and renaming organizations", measureRelocation},
	{"tui", "the terminal UI over many organizations", measureTUI},
}

// bench is one run.
type bench struct {
	ctx     context.Context
	cores   cores
	self    string // this program
	program string // the one measured
	dir     string // for data; removed at the end
	live    map[*process]struct{}
	large   int // the largest number of organizations
	// inIsolations is that of the measurement of isolations.
	inIsolations int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == childMode {
		return runAsChild(ctx, args[1:])
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("only", "", "measure only these, such as get,logins")
	asJSON := flags.Bool("json", false, "print JSON instead of a table")
	dir := flags.String("dir", ".cache", "where data is written while it runs; on the disk that matters")
	large := flags.Int("organizations", 100_000, "the largest number of organizations; fewer are quicker")
	inIsolations := flags.Int("isolations", 10_000, "the largest number of organizations in each isolation; 100000 takes half an hour more, and 7 GB")
	flags.Usage = func() {
		_, _ = fmt.Fprintln(flags.Output(), "Measures speed and size as ratios. Run it in the source folder, on a machine at rest.")
		for _, m := range measurements {
			_, _ = fmt.Fprintf(flags.Output(), "  %-10s %s\n", m.name, m.about)
		}
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	b, err := prepare(ctx, *dir)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(b.dir) }()
	b.large, b.inIsolations = *large, *inIsolations
	r := newReport(b.cores)
	begun := b.look()
	for _, m := range measurements {
		if !slices.Contains(chosen, m.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %s ...\n", m.name, m.about)
		rows, err := m.run(b)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		r.Rows = append(r.Rows, rows...)
	}
	r.Others = b.others(begun)
	if *asJSON {
		return r.writeJSON(os.Stdout)
	}
	return r.writeTable(os.Stdout)
}

func choose(only string) ([]string, error) {
	var all []string
	for _, m := range measurements {
		all = append(all, m.name)
	}
	if only == "" {
		return all, nil
	}
	chosen := strings.Split(only, ",")
	for _, name := range chosen {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("there is no measurement %q; there are %s", name, strings.Join(all, ", "))
		}
	}
	return chosen, nil
}

func prepare(ctx context.Context, dir string) (*bench, error) {
	b := &bench{ctx: ctx, cores: findCores(), live: make(map[*process]struct{})}
	var err error
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if err = os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp(dir, "bench-"); err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "building the program ...")
	if b.program, err = buildProgram(ctx, b.dir); err == nil {
		err = b.cores.takeClientCore()
	}
	if err != nil {
		_ = os.RemoveAll(b.dir)
		return nil, err
	}
	return b, nil
}
