package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app"
	"tenantry/app/client"
)

// The phases of a move as they are seen, in their order, and those of one that
// is taken back.
var (
	movePhases = phaseNames(app.RelocationPreflight, app.RelocationProvisioning, app.RelocationCopying,
		app.RelocationCatchingUp, app.RelocationVerifying, app.RelocationCutover, app.RelocationSwitched, "completed")
	backPhases = phaseNames(app.RelocationSwitched, app.RelocationReverting, "reverted")
)

func phaseNames(phases ...app.RelocationPhase) []string {
	names := make([]string, len(phases))
	for i, p := range phases {
		names[i] = string(p)
	}
	return names
}

// phases is a line of what a move has behind it, is at, and has before it.
func phases(op client.Operation) string {
	all := movePhases
	if !slices.Contains(all, op.State) {
		all = backPhases
	}
	at := slices.Index(all, op.State)
	if at < 0 {
		return "✗ " + op.State
	}
	words := make([]string, len(all))
	for i, name := range all {
		sign := "○"
		switch {
		case i < at || i == at && !op.Open():
			sign = "✓"
		case i == at:
			sign = "▸"
		}
		// A phase and its sign stay on one line.
		words[i] = sign + "\u00a0" + strings.ReplaceAll(name, "_", "\u00a0")
	}
	return strings.Join(words, "  ")
}

// moveProgress is how far a move is, how fast, and how long it still takes.
func moveProgress(op client.Operation) string {
	var words []string
	if p := op.Progress; p.Total > 0 {
		full := min(20, 20*p.Done/p.Total)
		words = append(words, fmt.Sprintf("%s%s %d %%", strings.Repeat("█", full), strings.Repeat("░", 20-full), min(100, 100*p.Done/p.Total)))
	}
	if op.Open() && op.Rate > 0 {
		words = append(words, perSecond(op.Rate))
	}
	if op.Open() && op.Estimate > 0 {
		words = append(words, "about "+seconds(op.Estimate)+" left")
	}
	return strings.Join(words, " · ")
}

// perSecond is how many of them are done in a second.
func perSecond(n float64) string {
	if n < 10 {
		return fmt.Sprintf("%.1f/s", n)
	}
	return thousands(int64(n+0.5)) + "/s"
}

// seconds is a number of seconds as people say it.
func seconds(n float64) string {
	switch {
	case n < 1:
		return "1 s"
	case n < 10:
		return fmt.Sprintf("%.1f s", n)
	}
	return span(time.Duration(n * float64(time.Second)))
}

func amount(a client.Amount) string {
	return plural(a.Documents, "document", "documents") + ", " + bytesOf(a.Bytes)
}

// roomWords is what is needed at a target, against what there is.
func roomWords(r *client.Room) string {
	if r == nil {
		return ""
	}
	if r.Free == nil {
		return "about " + bytesOf(r.Needed) + " needed; how much is free there is not known"
	}
	return "about " + bytesOf(r.Needed) + " needed, " + bytesOf(*r.Free) + " free there"
}

func placeWords(p client.Place) string {
	return clean(p.Cluster) + " · " + clean(p.Isolation) + " · " + clean(p.Database) + "/" + clean(p.Collection)
}

// moveLines say how far a move is; say adds a line with a label.
func moveLines(s *styles, op client.Operation, width int, say func(label, value string)) {
	r := op.Relocation
	if progress := moveProgress(op); progress != "" {
		say("Progress", progress)
	}
	say("From", placeWords(r.Source))
	say("To", placeWords(r.Target))
	for i, line := range wrap(phases(op), width-18, 3) {
		label := "Phase"
		if i > 0 {
			label = ""
		}
		say(label, s.Strong.Render(strings.ReplaceAll(strings.TrimSpace(line), "\u00a0", " ")))
	}
	if op.Open() && op.DueAt != nil {
		say("Completes", stamp(*op.DueAt)+"; the old place is removed then")
	}
	say("Copied", fmt.Sprintf("%s of %s", thousands(r.Copied.Documents), amount(r.Total)))
	say("Compared", fmt.Sprintf("%s; %s caught up", thousands(r.Verified.Documents), thousands(r.CaughtUp.Documents)))
	if r.Cutovers > 0 {
		say("Writes held", fmt.Sprintf("%.3f s, in %s to switch", r.HeldSeconds, plural(int64(r.Cutovers), "try", "tries")))
	}
	if len(r.Differences) > 0 {
		say("Differ", clean(strings.Join(r.Differences, " ")))
	}
}

// movable reports what can be done with a move: it can be given up before it has
// switched, and turned back or completed after that.
func (s shared) movable(op client.Operation) (cancel, turn bool) {
	if !s.who.operator || !op.Open() || op.Relocation == nil {
		return false, false
	}
	return !op.Relocation.Revertible && op.State != string(app.RelocationReverting) && !op.Undoing, op.Relocation.Revertible
}

func revertMove(op client.Operation) question {
	return question{
		title: "Move back", verb: "move back", doing: "Moving back",
		intro:   "The organization goes back to where it was. What was written since is copied there first; nothing is lost.",
		confirm: fmt.Sprintf("Move back to %s, %s?", clean(op.Relocation.Source.Cluster), clean(op.Relocation.Source.Isolation)),
		do:      onMove(op, "The move back has begun.", Backend.RevertOperation),
	}
}

func completeMove(op client.Operation) question {
	return question{
		title: "Complete the move", verb: "complete", doing: "Completing",
		intro:   "Removes what was left at the old place now. After that there is no moving back.",
		confirm: fmt.Sprintf("Remove the old place on %s, %s?", clean(op.Relocation.Source.Cluster), clean(op.Relocation.Source.Isolation)),
		do:      onMove(op, "The move is complete. The old place is removed.", Backend.CompleteOperation),
	}
}

func onMove(op client.Operation, done string, act func(Backend, context.Context, string) (client.Operation, error),
) func(context.Context, *session, values) (tea.Msg, error) {
	return func(ctx context.Context, s *session, _ values) (tea.Msg, error) {
		_, err := with(ctx, s, func(ctx context.Context, b Backend) (client.Operation, error) { return act(b, ctx, op.ID) })
		return changedMsg{notice: done}, err
	}
}

// turns are the keys of what can be done with a move, in a word or in whole.
func (s shared) turns(op client.Operation, whole bool) []key.Binding {
	words := [...]string{"cancel", "move back", "complete"}
	if whole {
		words = [...]string{"cancel the move", "move the organization back", "complete the move: remove the old place"}
	}
	var keys []key.Binding
	cancel, turn := s.movable(op)
	if cancel {
		keys = append(keys, as(s.keys.Cancel, words[0]))
	}
	if turn {
		keys = append(keys, as(s.keys.Revert, words[1]), as(s.keys.Complete, words[2]))
	}
	return keys
}

// turn asks the question of what a key does with a move.
func (s shared) turn(msg tea.KeyMsg, op client.Operation) bool {
	cancel, turn := s.movable(op)
	switch {
	case cancel && key.Matches(msg, s.keys.Cancel):
		s.send(askMsg{cancelOperation(op)})
	case turn && key.Matches(msg, s.keys.Revert):
		s.send(askMsg{revertMove(op)})
	case turn && key.Matches(msg, s.keys.Complete):
		s.send(askMsg{completeMove(op)})
	default:
		return false
	}
	return true
}

// moveWord is the state of a move as it is read.
func moveWord(op client.Operation) string {
	if op.Undoing {
		return "being cancelled"
	}
	return strings.ReplaceAll(op.State, "_", " ")
}
