package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"tenantry/app"
	"tenantry/app/appliance"
	"tenantry/app/client"
	"tenantry/app/config"
	"tenantry/app/registrymove"
)

// migration is a move of the registry, and what has become of it.
type migration struct {
	from, to config.Config
	// origin is where registry.url comes from now.
	origin string

	dryRun           bool
	plan             registrymove.Plan
	result           registrymove.Result
	fromAt, targetAt string
	folders          []string // clusters that are on this machine alone
	took             time.Duration
}

func (m *migration) run(ctx context.Context, dryRun bool, version string, log *slog.Logger, progress io.Writer) error {
	m.dryRun = dryRun
	opened, err := m.open(ctx, version, log)
	if err != nil {
		return moveFailure(err)
	}
	m.fromAt, m.targetAt = opened.Source.Place, opened.Target.Place
	if m.folders, err = opened.FolderClusters(ctx, m.from); err != nil {
		return moveFailure(errors.Join(err, opened.Close()))
	}
	move := registrymove.Move{Source: opened.Source, Target: opened.Target, Now: app.Now, Log: log, Report: reporter(progress)}
	began := time.Now()
	if dryRun {
		m.plan, err = move.Plan(ctx)
	} else {
		m.result, err = move.Run(ctx)
	}
	m.took = time.Since(began)
	if err = errors.Join(err, opened.Close()); err != nil {
		return moveFailure(err)
	}
	return nil
}

func (m *migration) open(ctx context.Context, version string, log *slog.Logger) (*appliance.RegistryMove, error) {
	if m.dryRun {
		return appliance.LookAtRegistries(ctx, m.from, m.to, version, log)
	}
	return appliance.OpenRegistryMove(ctx, m.from, &m.to, version, log)
}

// reporter shows how far a move is, a line for each noun and every second.
func reporter(w io.Writer) func(registrymove.Progress) {
	var last registrymove.Progress
	var shown time.Time
	return func(p registrymove.Progress) {
		if p.Phase == last.Phase && p.Noun == last.Noun && time.Since(shown) < time.Second || p.Entries == 0 && p.Noun != "" {
			return
		}
		begins := p.Phase != last.Phase
		last, shown = p, time.Now()
		switch {
		case p.Noun == "":
			_, _ = fmt.Fprintf(w, "%s the old registry\n", p.Phase)
			return
		case p.Phase == registrymove.Comparing && !begins:
			return
		case p.Phase == registrymove.Comparing:
			_, _ = fmt.Fprintf(w, "%s both registries, entry by entry\n", p.Phase)
			return
		}
		_, _ = fmt.Fprintf(w, "%s %d %s\n", p.Phase, p.Entries, registrymove.Word(p.Noun, p.Entries))
	}
}

// movedNoun is a line of what is moved.
type movedNoun struct {
	Noun    app.RegistryNoun `json:"noun"`
	Entries int64            `json:"entries"`
	Bytes   int64            `json:"bytes"`
}

// migrationAnswer is what is told as JSON.
type migrationAnswer struct {
	DryRun bool        `json:"dry_run"`
	From   string      `json:"from"`
	To     string      `json:"to"`
	Nouns  []movedNoun `json:"nouns"`
	Total  movedNoun   `json:"total"`
	// Estimate is of a dry run, Seconds of a migration.
	Estimate float64 `json:"estimate_seconds,omitempty"`
	Seconds  float64 `json:"seconds,omitempty"`
	// Room is of a dry run: the room at the target.
	Room *client.Room `json:"room,omitempty"`
	// MovedAt is when the old registry was closed for good; Before: not just now.
	MovedAt *time.Time `json:"moved_at,omitempty"`
	Before  bool       `json:"moved_before"`
	// RegistryURL is what registry.url must become, without a password.
	RegistryURL string `json:"registry_url"`
	SealKeyFile string `json:"seal_key_file,omitempty"`
	// LocalClusters are on this machine alone.
	LocalClusters []string `json:"local_clusters"`
}

func (m *migration) answer() migrationAnswer {
	counts := m.counts()
	a := migrationAnswer{DryRun: m.dryRun, From: m.fromAt, To: m.targetAt, Nouns: []movedNoun{},
		Total: movedNoun{Noun: "all", Entries: counts.Entries, Bytes: counts.Bytes}, Before: m.before(),
		RegistryURL: config.WithoutSecret(m.to.Registry.URL), SealKeyFile: sealKeyAt(m.from), LocalClusters: append([]string{}, m.folders...)}
	for _, noun := range app.RegistryNouns() {
		n := counts.Nouns[noun]
		a.Nouns = append(a.Nouns, movedNoun{noun, n.Entries, n.Bytes})
	}
	if m.dryRun {
		a.Estimate, a.Room = m.plan.Estimate.Seconds(), m.room()
	} else {
		a.Seconds, a.MovedAt = m.took.Seconds(), &m.result.At
	}
	return a
}

func (m *migration) counts() registrymove.Counts {
	if m.dryRun {
		return m.plan.Counts
	}
	return m.result.Counts
}

// room is that of the target, where something would be copied to it.
func (m *migration) room() *client.Room {
	if m.plan.Estimate == 0 {
		return nil
	}
	r := &client.Room{Needed: m.plan.Needed}
	if m.plan.Room.Known {
		r.Free = &m.plan.Room.Free
	}
	return r
}

func (m *migration) before() bool { return m.plan.Before || m.result.Before }

// tell says what has become of it, and what to do next.
func (m *migration) tell(w io.Writer) error {
	if !m.before() && m.counts().Entries > 0 {
		if err := writeTable(w, countRows(m.counts())); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(w)
	}
	var text strings.Builder
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(&text, format+"\n", args...) }
	switch {
	case m.before():
		say("The registry was moved from %s to %s before.", m.fromAt, m.targetAt)
	case m.dryRun:
		say("Dry run: nothing was changed. All of this would be moved from\n  %s to\n  %s, in about %s.", m.fromAt, m.targetAt, about(max(m.plan.Estimate.Seconds(), 0.1)))
		if room := m.room(); room != nil {
			say("Room: %s.", roomWords(*room))
		}
		if m.plan.Continues {
			say("It would go on with a migration that was broken off.")
		}
		say("\nStop every server first, and then run this without --dry-run. After it:\n")
	default:
		say("Moved in %s, and compared entry by entry, from\n  %s to\n  %s.\nNo server opens the old registry any more. Before one is started:\n",
			about(max(m.took.Seconds(), 0.1)), m.fromAt, m.targetAt)
	}
	m.tellNext(say)
	_, err := io.WriteString(w, text.String())
	return err
}

func countRows(c registrymove.Counts) [][]string {
	rows := [][]string{{"WHAT", "ENTRIES", "BYTES"}}
	for _, noun := range app.RegistryNouns() {
		n := c.Nouns[noun]
		rows = append(rows, []string{registrymove.Word(noun, 2), fmt.Sprint(n.Entries), fmt.Sprint(n.Bytes)})
	}
	return append(rows, []string{"together", fmt.Sprint(c.Entries), fmt.Sprint(c.Bytes)})
}

// tellNext says what must be done by hand.
func (m *migration) tellNext(say func(format string, args ...any)) {
	url := m.to.Registry.URL
	say("- Change registry.url, which is now from %s:\n\n    [registry]\n    url = %q\n", originWord(m.origin), config.WithoutSecret(url))
	if config.Secret(url) {
		say("  with the user and the password that are not shown here; better, put the whole URL into a file and name\n  that with TENANTRY_REGISTRY_URL_FILE.")
	}
	if !config.IsMongoDB(url) {
		say("- The file is for one server alone.")
		return
	}
	if path := sealKeyAt(m.from); path != "" {
		say("- Keep the seal key, %s: the keys in the registry are sealed with it. Further servers\n  need the same one, as seal_key.", path)
	} else {
		say("- Keep seal_key as it is: the keys in the registry are sealed with it. Every server needs the same one.")
	}
	if len(m.folders) > 0 {
		clusters, are := "cluster", "is a folder"
		if len(m.folders) > 1 {
			clusters, are = "clusters", "are folders"
		}
		say("- The %s %s %s on this machine. One server can go on with it; several cannot share it. Before there are\n"+
			"  several, add one on MongoDB with \"tenantry cluster add NAME\" or in the configuration, and move everybody there:\n",
			clusters, strings.Join(m.folders, ", "), are)
		for _, folder := range m.folders {
			say("    tenantry cluster drain %s --to NAME", folder)
		}
	}
}

func originWord(origin string) string {
	if origin == "default" || origin == "" {
		return "its default"
	}
	return origin
}
