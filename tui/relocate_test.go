package tui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/bubbles/key"

	"tenantry/app/client"
)

// Only for the place that one stays at is the server asked, and nothing begins
// before it has answered.
func TestMoveIsTriedWhereOneStays(t *testing.T) {
	f := newFake()
	d := operatorAt(t, f, 80, 24)
	toMove(d)
	d.see("Would move 4,321 documents, 7.3 MiB, in about 4.2 s", "default · shared")
	f.set(func() { f.hold = make(chan struct{}) })
	d.press("j", "j", "enter")
	d.until("it asks about the last", func() bool { return f.called("plan frankfurt shared") == 1 })
	d.press("enter")
	d.see("Finding out what would move")
	if n := f.called("plan default database"); n != 0 {
		t.Errorf("it asked %d times about a place that was passed", n)
	}
	f.set(func() { close(f.hold); f.hold = nil })
	d.see("frankfurt · shared · tenants")
	d.press("enter")
	d.see("Move Acme GmbH to frankfurt, shared?")
	d.press("n")
	d.see("Now on default, collection, ")
	if f.calledWith("relocate") {
		t.Error("it moved")
	}
}

func TestMoveBegins(t *testing.T) {
	f := newFake()
	d := operatorAt(t, f, 80, 24)
	toMove(d)
	d.see("Would move")
	d.press("enter")
	d.see("Move Acme GmbH to default, shared?")
	d.press("y")
	d.see("The move has begun.", "▸ preflight")
	if f.called("relocate "+f.orgs[0].ID+" default shared") != 1 {
		t.Error("the move that was chosen was not asked for once")
	}
	d.press("esc")
	d.see("a collection of its own", "Last move")
	if strings.Contains(d.text(), "M move") {
		t.Error("another move is offered while one goes on")
	}
}

func TestMoveThatIsRefusedSaysWhy(t *testing.T) {
	f := newFake()
	f.fail["plan default shared"] = &client.Error{Status: 409, Code: "conflict", Detail: "There is no room."}
	d := operatorAt(t, f, 80, 24)
	toMove(d)
	d.see("It cannot move to default, shared.", "✗ There is no room.")
	d.press("enter")
	d.see("It cannot move")
	d.press("j")
	d.see("Would move")
	if strings.Contains(d.text(), "There is no room.") {
		t.Error("what is wrong with one place is said of another")
	}
}

// What is offered of a move is what can be done with it.
func TestMoveCanBeTurnedInItsTime(t *testing.T) {
	operator := newShared(t.Context(), serverOf(newFake()), newStyles(true, 0))
	operator.who.operator = true
	member := operator
	member.who.operator = false
	refused := moveOf("x", "copying")
	refused.Error = "The disk is full."
	undoing := moveOf("x", "copying")
	undoing.Undoing = true
	for _, row := range []struct {
		name string
		op   client.Operation
		want string
	}{
		{"copying", moveOf("x", "copying"), "X"}, {"cutover", moveOf("x", "cutover"), "X"}, {"refused", refused, "T X"},
		{"undoing", undoing, ""}, {"switched", moveOf("x", "switched"), "B C"}, {"reverting", moveOf("x", "reverting"), ""},
		{"completed", moveOf("x", "completed"), ""}, {"reverted", moveOf("x", "reverted"), ""},
		{"rename", client.Operation{Kind: "rename", State: "running"}, "T X"}, {"ended rename", client.Operation{Kind: "rename", State: "completed"}, ""},
	} {
		if got := keyNames(operator.operationActs(row.op, true)); got != row.want {
			t.Errorf("%s: an operator may %q, want %q", row.name, got, row.want)
		}
		if got := keyNames(member.operationActs(row.op, true)); got != "" {
			t.Errorf("%s: a member may %q", row.name, got)
		}
	}
}

func keyNames(bindings []key.Binding) string {
	names := make([]string, len(bindings))
	for i, b := range bindings {
		names[i] = b.Help().Key
	}
	return strings.Join(names, " ")
}

func TestMoveActs(t *testing.T) {
	for press, want := range map[string]string{"B": "revert", "C": "complete"} {
		f := newFake()
		moving("switched")(f)
		d := operatorAt(t, f, 80, 24)
		toPlacement(d)
		d.press(press)
		d.see("default, collection?")
		d.press("enter") // says no
		d.see("4,321 documents")
		d.press(press)
		d.see("default, collection?")
		d.press("y")
		d.until(want, func() bool { return f.called(want+" "+moveOf("", "").ID) == 1 })
		d.see("4,321 documents")
	}
}

func TestPhases(t *testing.T) {
	for state, want := range map[string]string{
		"preflight":   "▸ preflight  ○ provisioning  ○ copying  ○ catching up  ○ verifying  ○ cutover  ○ switched  ○ completed",
		"catching_up": "✓ preflight  ✓ provisioning  ✓ copying  ▸ catching up  ○ verifying  ○ cutover  ○ switched  ○ completed",
		"completed":   "✓ preflight  ✓ provisioning  ✓ copying  ✓ catching up  ✓ verifying  ✓ cutover  ✓ switched  ✓ completed",
		"reverting":   "✓ switched  ▸ reverting  ○ reverted", "reverted": "✓ switched  ✓ reverting  ✓ reverted",
		"cancelled": "✗ cancelled", "failed": "✗ failed",
	} {
		if got := strings.ReplaceAll(phases(moveOf("x", state)), "\u00a0", " "); got != want {
			t.Errorf("%s: %q, want %q", state, got, want)
		}
	}
}

// The tab looks again while a move goes on, and rests when it has ended.
func TestPlacementIsWatched(t *testing.T) {
	f := newFake()
	moving("copying")(f)
	d := operatorAt(t, f, 80, 24)
	toPlacement(d)
	f.set(func() { f.ops[0] = moveOf(f.orgs[0].ID, "reverted") })
	d.see("✓ reverted")
	d.settle()
	tab, _ := d.root.top().(*organization)
	if p, ok := tab.tab().(*placement); !ok || p.watch() != nil {
		t.Error("it looks again and again at what has ended")
	}
}

// Who may not see the placement is told so.
func TestPlacementOfAMember(t *testing.T) {
	f := newFake()
	f.me = func() (client.Me, error) {
		return client.Me{Email: "m@acme.example", OrganizationID: f.orgs[0].ID,
			Memberships: []client.Membership{{OrganizationID: f.orgs[0].ID, Name: "Acme GmbH", Role: "member"}}}, nil
	}
	refused := &client.Error{Status: 403, Code: "forbidden", Detail: "No."}
	f.fail["placement"], f.fail["owner"] = refused, refused
	d := operatorAt(t, f, 80, 24)
	d.see("Acme GmbH")
	d.press("tab", "tab")
	d.see("is shown to operators")
	d.press("M", "B", "enter")
	if f.calledWith("plan") {
		t.Error("a member is offered to move it")
	}
}
