package tui

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app"
	"tenantry/app/client"
	"tenantry/app/documents"
)

// draft is a document in the making: it is written in the user's editor, and
// stays, in a file of its own, until it is saved or given up.
type draft struct {
	base
	draftMsg
	file    string
	began   string // what the editor was given
	theirs  *client.Document
	leaving bool // asked whether to give the text up
	top     int
}

// savedMsg is the document as it was saved.
type savedMsg struct{ document client.Document }

// theirsMsg is the document as somebody else left it.
type theirsMsg struct{ document client.Document }

// writtenMsg: the file for the editor is there.
type writtenMsg struct {
	file string
	err  error
}

func draftOf(org client.Organization, d client.Document) draftMsg {
	return draftMsg{organization: org, id: d.ID, typ: d.Type, revision: d.Revision, text: pretty(d.Data) + "\n"}
}

func newDraft(s shared, msg draftMsg) *draft {
	return &draft{base: base{shared: s}, draftMsg: msg, began: msg.text}
}

func (d *draft) organizationID() string { return d.organization.ID }

// Init writes the text to a file and opens the editor on it.
func (d *draft) Init() tea.Cmd {
	text := d.text
	return func() tea.Msg {
		file, err := draftFile(text)
		return writtenMsg{file, err}
	}
}

func (d *draft) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case writtenMsg:
		if d.file != "" {
			return d, nil // another draft's
		}
		d.file, d.problem = msg.file, msg.err
		if msg.err == nil {
			return d, edit(d.file)
		}
	case editedMsg:
		if msg.file == d.file {
			return d, d.edited(msg)
		}
	case answer[savedMsg]:
		return d, d.saved(msg)
	case answer[theirsMsg]:
		if d.take(msg) && msg.err == nil {
			d.theirs, d.top = &msg.value.document, 0
			d.problem = toldError("Somebody changed the document while you did. - is theirs, + is yours. " +
				"Press W to save yours over theirs, e to change yours, or leave to keep theirs.")
		}
	case tea.KeyMsg:
		return d, d.press(msg)
	}
	return d, nil
}

// edited checks what was written and sends it.
func (d *draft) edited(msg editedMsg) tea.Cmd {
	if msg.err != nil {
		d.problem = msg.err
		return nil
	}
	d.text = msg.text
	if d.revision != 0 && d.theirs == nil && d.text == d.began {
		d.send(backMsg{d}, noticeMsg{"Nothing was changed."})
		return d.forget()
	}
	if _, err := documents.Compact("data", []byte(d.text)); err != nil {
		d.problem = toldError(sentence(err) + " Your text is kept. Press e to go on with it.")
		return nil
	}
	if d.theirs != nil {
		return nil // the difference is shown; one decides
	}
	return d.save(d.revision)
}

// save sends the text, for a document that exists if it still has the
// revision.
func (d *draft) save(revision int64) tea.Cmd {
	in := d.draftMsg
	return ask(&d.base, d.documentsAs(in.organization.ID), "Saving the document", func(ctx context.Context, b Backend) (savedMsg, error) {
		var doc client.Document
		var err error
		if in.revision == 0 {
			doc, err = b.CreateDocument(ctx, in.organization.ID, client.NewDocument{ID: in.id, Type: in.typ, Data: []byte(in.text)})
		} else {
			doc, err = b.PutDocument(ctx, in.organization.ID, in.id, "", []byte(in.text), revision)
		}
		return savedMsg{doc}, err
	})
}

func (d *draft) saved(msg answer[savedMsg]) tea.Cmd {
	if !d.take(msg) {
		return nil
	}
	if errors.Is(msg.err, app.ErrStale) {
		in := d.draftMsg
		return ask(&d.base, d.documentsAs(in.organization.ID), "Reading what is there now", func(ctx context.Context, b Backend) (theirsMsg, error) {
			doc, err := b.Document(ctx, in.organization.ID, in.id)
			return theirsMsg{doc}, err
		})
	}
	if msg.err != nil {
		return nil // the text and the problem stay
	}
	d.send(backMsg{d}, changedMsg{notice: "Document " + msg.value.document.ID + " is saved."})
	return d.forget()
}

// forget removes the file.
func (d *draft) forget() tea.Cmd {
	file := d.file
	return func() tea.Msg {
		if file != "" {
			_ = os.Remove(file)
		}
		return nil
	}
}

func (d *draft) press(msg tea.KeyMsg) tea.Cmd {
	k := d.keys
	if d.leaving {
		d.leaving = false
		if key.Matches(msg, k.Confirm) {
			d.send(backMsg{d}, noticeMsg{"The text was given up."})
			return d.forget()
		}
		return nil
	}
	switch {
	case key.Matches(msg, k.Back):
		d.leaving = true
	case d.wait.number != 0 || d.file == "":
	case d.documentsAs(d.organization.ID) == nil && key.Matches(msg, k.SignIn):
		return d.send(memberMsg{organization: d.organization})
	case key.Matches(msg, k.Edit):
		d.problem = nil
		return edit(d.file)
	case key.Matches(msg, k.Send) && d.theirs == nil:
		return d.edited(editedMsg{file: d.file, text: d.text})
	case key.Matches(msg, k.Overwrite) && d.theirs != nil:
		return d.save(d.theirs.Revision)
	case key.Matches(msg, k.Down):
		d.top++
	case key.Matches(msg, k.Up):
		d.top = max(0, d.top-1)
	}
	return nil
}

func (d *draft) View() string {
	var lines []string
	if d.theirs != nil {
		for _, c := range near(diff(strings.TrimRight(pretty(d.theirs.Data), "\n"), strings.TrimRight(d.tidy(), "\n")), 3) {
			line := cut(string(c.sign)+" "+clean(c.line), d.width-4)
			switch c.sign {
			case '-':
				line = d.styles.Bad.Render(line)
			case '+':
				line = d.styles.Good.Render(line)
			}
			lines = append(lines, "  "+line)
		}
	} else {
		for i, line := range strings.Split(strings.TrimRight(d.text, "\n"), "\n") {
			lines = append(lines, d.styles.Faint.Render(right(thousands(int64(i+1)), 5))+" "+cut(clean(line), d.width-8))
		}
	}
	head := "  Your text is in " + clean(d.file)
	if d.leaving {
		head = d.styles.Warn.Render("  Give your text up? Press y to give it up, any other key to keep it.")
	}
	room := d.height - 2
	lines = lines[max(0, min(d.top, len(lines)-room)):]
	return cut(head, d.width) + "\n\n" + block(lines, d.width, room)
}

// tidy is the text as it would be shown once saved, so that only what differs
// in meaning differs.
func (d *draft) tidy() string {
	compact, err := documents.Compact("data", []byte(d.text))
	if err != nil {
		return d.text
	}
	return pretty(compact)
}

func (d *draft) Title() string {
	if d.id == "" {
		return "New document"
	}
	return "Editing " + d.id
}

// Typing keeps q from giving the text up.
func (d *draft) Typing() bool { return true }

func (d *draft) ShortHelp() []key.Binding {
	k := d.keys
	keys := []key.Binding{as(k.Edit, "edit in "+editorName())}
	if d.documentsAs(d.organization.ID) == nil {
		keys = append(keys, k.SignIn)
	}
	if d.theirs != nil {
		keys = append(keys, k.Overwrite)
	} else {
		keys = append(keys, k.Send)
	}
	return append(keys, as(k.Back, "give up"))
}

func (d *draft) Acts() []key.Binding { return d.ShortHelp() }
