package tui

import (
	"context"
	"errors"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/huh"
	"github.com/charmbracelet/lipgloss"
)

// values are what was entered, by the fields' names.
type values map[string]string

// field is one question of a form.
type field struct {
	name, title string
	initial     string
	placeholder string
	secret      bool
	// limit is how many characters are taken; a little more than the rule
	// allows, so that it is the rule that speaks.
	limit int
	// options make the field a choice of one.
	options []string
	// check is the rule, asked while one types: what is wrong, or "".
	check func(values) string
	// note is what is worth knowing of a value that passes, or "".
	note func(values) string
}

// question is what a form asks and does.
type question struct {
	title string
	// intro says what will happen; it stays in view.
	intro  string
	verb   string // of the last key: "create"
	doing  string // while it is done: "Creating"
	fields []field
	// confirm makes the form a question of yes or no, in which no is what
	// Enter says.
	confirm string
	// do does it, and gives the message that says so.
	do func(context.Context, *session, values) (tea.Msg, error)
}

// form asks a question. The text that was entered stays whatever happens.
type form struct {
	base
	question
	huh     *huh.Form
	values  map[string]*string
	at      int  // the field that one is in
	tried   bool // to leave it, though something is wrong with it
	yes     bool
	refused map[string]string // by the server, until the value changes
	sent    values            // what was refused
}

func newForm(s shared, q question) *form {
	f := &form{base: base{shared: s}, question: q, values: map[string]*string{}, refused: map[string]string{}}
	for _, field := range q.fields {
		value := field.initial
		f.values[field.name] = &value
	}
	f.build()
	return f
}

// build makes the fields anew around the values that there are.
func (f *form) build() {
	var fields []huh.Field
	for _, spec := range f.fields {
		fields = append(fields, f.input(spec))
	}
	if f.confirm != "" {
		fields = append(fields, huh.NewConfirm().WithButtonAlignment(lipgloss.Left).Title(f.confirm).Affirmative("Yes").Negative("No").Value(&f.yes))
	}
	f.huh = huh.NewForm(huh.NewGroup(fields...)).
		WithTheme(f.styles.Form).WithKeyMap(formKeys()).WithShowHelp(false).WithShowErrors(false)
	f.fitIn()
}

func (f *form) input(spec field) huh.Field {
	value := f.values[spec.name]
	if spec.options != nil {
		options := make([]huh.Option[string], len(spec.options))
		for i, o := range spec.options {
			options[i] = huh.NewOption(optionWord(o), o)
		}
		return huh.NewSelect[string]().Key(spec.name).Title(spec.title).Options(options...).Inline(true).Filtering(false).Value(value)
	}
	in := huh.NewInput().Key(spec.name).Title(spec.title).Placeholder(spec.placeholder).Prompt("› ").CharLimit(spec.limit).Value(value).
		Validate(func(string) error {
			if wrong := f.wrong(spec); wrong != "" {
				return errors.New(wrong)
			}
			return nil
		})
	if spec.secret {
		in.EchoMode(huh.EchoModePassword)
	}
	return in
}

// optionWord shows the option that stands for none.
func optionWord(o string) string {
	if o == "" {
		return "any"
	}
	return clean(o)
}

// formKeys are huh's without those with which one goes from field to field:
// huh does that by a message, and what is typed meanwhile would go to the field
// that one has left already. The form does it at once.
func formKeys() *huh.KeyMap {
	k := huh.NewDefaultKeyMap()
	off := key.NewBinding(key.WithDisabled())
	k.Quit, k.Input.AcceptSuggestion = off, off
	k.Input.Next, k.Input.Prev, k.Input.Submit = off, off, off
	k.Select.Next, k.Select.Prev, k.Select.Submit, k.Select.Filter = off, off, off, off
	k.Select.Left, k.Select.Right = bind("←", "", "left", "h"), bind("→", "", "right", "l", " ")
	k.Confirm.Next, k.Confirm.Prev, k.Confirm.Submit, k.Confirm.Accept, k.Confirm.Reject = off, off, off, off, off
	return k
}

func (f *form) entered() values {
	v := values{}
	for name, value := range f.values {
		v[name] = *value
	}
	return v
}

// wrong says what is wrong with a field now: by the rule, or because the
// server refused this very value.
func (f *form) wrong(spec field) string {
	v := f.entered()
	if refused := f.refused[spec.name]; refused != "" && f.sent[spec.name] == v[spec.name] {
		return refused
	}
	if spec.check == nil {
		return ""
	}
	return spec.check(v)
}

func (f *form) Init() tea.Cmd { return f.huh.Init() }

// SetSize is of Screen.
func (f *form) SetSize(width, height int) {
	f.base.SetSize(width, height)
	f.fitIn()
}

func (f *form) fitIn() {
	if f.width > 0 {
		room := max(3, f.height-len(f.heading())-f.hintLines())
		f.huh.WithWidth(min(f.width-4, 76)).WithHeight(min(room, f.fieldLines()))
	}
}

func (f *form) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[tea.Msg]:
		return f, f.done(msg)
	case tea.KeyMsg:
		if f.wait.number != 0 {
			return f, nil // it is being done
		}
		return f, f.press(msg)
	case tea.MouseMsg, tea.WindowSizeMsg:
		return f, nil
	}
	return f, f.feed(msg)
}

func (f *form) press(msg tea.KeyMsg) tea.Cmd {
	k := f.keys
	switch {
	case msg.Paste:
		msg.Runes = []rune(pasted(string(msg.Runes)))
		return f.feed(msg)
	case key.Matches(msg, k.Back):
		return f.send(backMsg{f})
	case key.Matches(msg, k.NextField):
		return f.next(key.Matches(msg, k.Open))
	case key.Matches(msg, k.PreviousField):
		if f.at == 0 {
			return nil
		}
		f.at--
		return f.huh.PrevField()
	case f.confirm != "" && f.at == len(f.fields) && key.Matches(msg, k.Confirm):
		f.yes = true
		return f.submit()
	case f.confirm != "" && f.at == len(f.fields) && key.Matches(msg, k.Decline):
		return f.send(backMsg{f})
	}
	return f.feed(msg)
}

// next goes to the next field, unless something is wrong with this one; enter
// in the last one begins.
func (f *form) next(enter bool) tea.Cmd {
	if f.at < len(f.fields) && f.wrong(f.fields[f.at]) != "" {
		f.tried = true
		return nil
	}
	f.tried = false
	last := len(f.fields) - 1
	if f.confirm != "" {
		last++
	}
	switch {
	case f.at < last:
		f.at++
		return f.huh.NextField()
	case enter:
		return f.submit()
	}
	return nil
}

// feed gives a message to the field that one is in.
func (f *form) feed(msg tea.Msg) tea.Cmd {
	model, cmd := f.huh.Update(msg)
	if updated, ok := model.(*huh.Form); ok {
		f.huh = updated
	}
	return cmd
}

func (f *form) submit() tea.Cmd {
	if f.confirm != "" && !f.yes {
		return f.send(backMsg{f})
	}
	for i, spec := range f.fields {
		if f.wrong(spec) != "" {
			return f.again(i)
		}
	}
	v, do, s := f.entered(), f.do, f.session
	f.sent = v
	return ask(&f.base, s, f.doing, func(ctx context.Context, _ Backend) (tea.Msg, error) { return do(ctx, s, v) })
}

// done leaves the form, or stays in it with what was refused.
func (f *form) done(msg answer[tea.Msg]) tea.Cmd {
	if !f.take(msg) {
		return nil
	}
	if msg.err == nil {
		return f.send(backMsg{f}, msg.value)
	}
	f.refused = fieldProblems(msg.err)
	for i, spec := range f.fields {
		if f.refused[spec.name] != "" {
			f.problem = nil // it is said at the field
			return f.again(i)
		}
	}
	return f.again(0)
}

// again asks anew with what was entered, beginning at a field.
func (f *form) again(at int) tea.Cmd {
	f.yes, f.tried = false, true
	f.build()
	cmds := []tea.Cmd{f.huh.Init()}
	for f.at = 0; f.at < at; f.at++ {
		cmds = append(cmds, f.huh.NextField())
	}
	return tea.Batch(cmds...)
}

// pasted is a pasted text on one line, and no more of it than any field takes.
func pasted(s string) string {
	const most = 1 << 20
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case steers(r) && r != '\u200c' && r != '\u200d':
			return -1
		}
		return r
	}, s)
}

func (f *form) heading() []string {
	lines := []string{" " + f.styles.Strong.Render(cut(clean(f.title), f.width-2))}
	if f.intro != "" {
		for _, line := range wrap(f.intro, min(f.width-2, 76), 3) {
			lines = append(lines, " "+f.styles.Faint.Render(line))
		}
	}
	return append(lines, "")
}

// fieldLines is the room that the fields take where there is enough.
func (f *form) fieldLines() int {
	lines := 0
	for _, spec := range f.fields {
		lines += 2
		if spec.options != nil {
			lines--
		}
	}
	if f.confirm != "" {
		lines += 4
	}
	return lines
}

// hintLines is the room below the fields.
func (f *form) hintLines() int { return 3 }

// hint is what is wrong with the field that one is in, or what is worth
// knowing of it. That nothing was entered yet is no fault.
func (f *form) hint() []string {
	if f.at >= len(f.fields) {
		return nil
	}
	spec, width := f.fields[f.at], min(f.width-4, 76)
	wrong := f.wrong(spec)
	switch {
	case wrong == "" && spec.note == nil:
		return nil
	case wrong == "":
		return wrap(spec.note(f.entered()), width, 2)
	case *f.values[spec.name] == "" && !f.tried:
		return wrap(wrong, width, 2)
	}
	lines := wrap("✗ "+wrong, width, 2)
	for i := range lines {
		lines[i] = f.styles.Bad.Render(lines[i])
	}
	return lines
}

func (f *form) View() string {
	lines := f.heading()
	for line := range strings.SplitSeq(f.huh.View(), "\n") {
		lines = append(lines, " "+line)
	}
	room := f.height - f.hintLines()
	lines = lines[:min(len(lines), room)]
	lines = append(lines, "")
	for _, line := range f.hint() {
		lines = append(lines, "  "+line)
	}
	return block(lines, f.width, f.height)
}

func (f *form) Title() string { return f.title }

// Typing is of Screen.
func (f *form) Typing() bool { return true }

func (f *form) ShortHelp() []key.Binding {
	if f.confirm != "" && f.at >= len(f.fields) {
		return []key.Binding{as(f.keys.Confirm, f.verb), as(f.keys.Decline, "leave it"), bind("←/→", "choose", "left"), bind("enter", "as chosen", "enter")}
	}
	keys := []key.Binding{bind("enter", "next", "enter")}
	if f.confirm == "" && f.at >= len(f.fields)-1 {
		keys[0] = bind("enter", f.verb, "enter")
	}
	if f.at < len(f.fields) && f.fields[f.at].options != nil {
		keys = append(keys, bind("←/→", "choose", "left"))
	}
	if len(f.fields) > 1 {
		keys = append(keys, bind("↑/↓", "between fields", "up"))
	}
	return append(keys, as(f.keys.Back, "leave"))
}

func (f *form) Acts() []key.Binding { return nil }
