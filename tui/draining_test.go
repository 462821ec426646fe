package tui

import (
	"slices"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

func TestDrainBegins(t *testing.T) {
	for _, row := range []struct {
		old  string
		keys []string
		want string
	}{
		{"kept", nil, "drain default frankfurt false"},
		{"removed", []string{"right"}, "drain default frankfurt true"},
	} {
		t.Run(row.old, func(t *testing.T) {
			f := newFake()
			d := operatorAt(t, f, 80, 24)
			toDrain(d)
			d.see("Would move 1,198 of 1,200 organizations, in about 4 min", "98,765 documents, 117.7 MiB", "2 would stay, such as gone")
			d.press("j")
			d.until("it asks about the other cluster", func() bool { return f.called("plan drain default frankfurt") == 1 })
			d.see("Would move")
			d.press("enter")
			d.see("1,198 organizations move to frankfurt", "← kept for the grace period →", "enter next")
			d.press(row.keys...)
			d.see(row.old)
			d.press("enter", "enter") // says no
			d.see("Would move")
			if f.calledWith("drain ") {
				t.Fatal("it began")
			}
			d.press("enter")
			d.see("1,198 organizations move to frankfurt")
			d.press(row.keys...)
			d.press("enter", "y")
			d.see("The drain has begun.", "750 of 1,200 organizations", "2.5/s")
			if f.called(row.want) != 1 {
				t.Errorf("%q was not asked for once", row.want)
			}
			d.press("esc")
			d.see("Being drained, 750 to go")
			if strings.Contains(d.text(), "E drain") {
				t.Error("another drain is offered while one goes on")
			}
		})
	}
}

func TestDrainThatIsRefusedSaysWhy(t *testing.T) {
	f := newFake()
	f.fail["plan drain default "] = &client.Error{Status: 409, Code: "conflict", Detail: "The placement has no other cluster."}
	d := operatorAt(t, f, 80, 24)
	toDrain(d)
	d.see("They cannot move to where the placement sends them.", "✗ The placement has no other cluster.")
	d.press("enter")
	d.see("They cannot move")
	d.press("j")
	d.see("Would move")
}

// The screen looks again while a drain goes on, measures once more when it has
// ended, and rests then.
func TestDrainIsWatched(t *testing.T) {
	f := newFake()
	draining("running")(f)
	d := operatorAt(t, f, 80, 24)
	d.press("4")
	d.see("Being drained, 750 to go", "37 %")
	measured := f.called("clusters")
	f.set(func() { f.ops[0] = drainOf("default", "failed") })
	d.see("Takes nobody any more. Its drain ended with 2 left.", "A open it")
	d.settle()
	if n := f.called("clusters"); n != measured+1 {
		t.Errorf("the clusters were measured %d times when it ended", n-measured)
	}
	if c, ok := d.root.top().(*clusters); !ok || c.watch() != nil {
		t.Error("it looks again and again at what has ended")
	}
}

func TestClosedClusterIsOpened(t *testing.T) {
	f := newFake()
	draining("failed")(f)
	d := operatorAt(t, f, 80, 24)
	d.press("4")
	d.see("A open it")
	d.press("j") // the other one is open
	d.see("› frankfurt")
	if strings.Contains(d.text(), "A open it") {
		t.Error("what is open is offered to be opened")
	}
	d.press("k", "A")
	d.see("Let default take organizations again?")
	d.press("y")
	d.see("default takes organizations again.")
	if f.called("open default") != 1 {
		t.Error("it was not opened")
	}
}

func TestDrainActs(t *testing.T) {
	operator := newShared(t.Context(), serverOf(newFake()), newStyles(true, 0))
	operator.who.operator = true
	refused := drainOf("default", "running")
	refused.Error = "The registry is away."
	undoing := drainOf("default", "running")
	undoing.Undoing = true
	for _, row := range []struct {
		name string
		op   client.Operation
		want string
	}{
		{"running", drainOf("default", "running"), "X"}, {"refused", refused, "T X"},
		{"undoing", undoing, ""}, {"failed", drainOf("default", "failed"), ""},
	} {
		if got := keyNames(operator.operationActs(row.op, true)); got != row.want {
			t.Errorf("%s: an operator may %q, want %q", row.name, got, row.want)
		}
	}
}

// A click selects the row that is clicked, below what stands above the list.
func TestMouseOnATrial(t *testing.T) {
	f := newFake()
	d := operatorAt(t, f, 80, 24)
	toDrain(d)
	d.see("Would move", "› where the placement")
	y := slices.IndexFunc(strings.Split(d.text(), "\n"), func(line string) bool { return strings.Contains(line, "frankfurt") })
	d.press("m")
	d.update(tea.MouseMsg{X: 5, Y: y, Action: tea.MouseActionPress, Button: tea.MouseButtonLeft})
	d.see("› frankfurt")
}
