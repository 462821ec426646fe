package tui

import (
	"context"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app"
	"tenantry/app/client"
	"tenantry/app/documents"
)

// documentList is the table of an organization's documents. The server shows them
// to members alone: an operator signs in as one first.
type documentList struct {
	base
	org    client.Organization
	owner  string // the owner's email address, where it is known
	table  table[client.Document]
	typ    string // the only one shown; "" shows all
	loaded bool
}

type documentPageMsg struct {
	client.DocumentPage
	page int
}

// typeMsg chooses the type that is shown.
type typeMsg struct{ organization, typ string }

func newDocuments(s shared, org client.Organization) *documentList {
	return &documentList{base: base{shared: s}, org: org, table: newTable(
		column[client.Document]{title: "ID", cell: func(d client.Document) string { return d.ID }},
		column[client.Document]{title: "TYPE", width: 14, cell: func(d client.Document) string { return d.Type }},
		column[client.Document]{title: "DATA", from: 96, cell: func(d client.Document) string { return string(d.Data[:min(len(d.Data), 400)]) }},
		column[client.Document]{title: "REV", width: 5, right: true, cell: func(d client.Document) string { return thousands(d.Revision) }},
		column[client.Document]{title: "CHANGED", width: 10, right: true, cell: func(d client.Document) string { return ago(s.now(), d.UpdatedAt) }},
	)}
}

// as is the sign-in that reads the documents, or nil.
func (d *documentList) as() *session { return d.documentsAs(d.org.ID) }

func (d *documentList) Init() tea.Cmd { return d.load(0) }

// SetSize is of Screen.
func (d *documentList) SetSize(width, height int) {
	d.base.SetSize(width, height)
	d.table.setSize(width, height)
}

func (d *documentList) load(page int) tea.Cmd {
	as := d.as()
	if as == nil {
		return nil
	}
	org, typ, cursor := d.org.ID, d.typ, d.table.cursors[page]
	return ask(&d.base, as, "Reading documents", func(ctx context.Context, b Backend) (documentPageMsg, error) {
		p, err := b.ListDocuments(ctx, org, typ, cursor, pageSize)
		return documentPageMsg{p, page}, err
	})
}

func (d *documentList) fill() tea.Cmd {
	if page, missing := d.table.wanted(); missing && d.wait.number == 0 && d.problem == nil {
		return d.load(page)
	}
	return nil
}

func (d *documentList) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[documentPageMsg]:
		if !d.take(msg) {
			return d, nil
		}
		if d.as() == nil {
			d.problem = nil // the view asks for another sign-in
		}
		if msg.err == nil {
			d.loaded = true
			d.table.put(msg.value.page, msg.value.Items, msg.value.NextCursor)
			d.table.move(0)
			return d, d.fill()
		}
	case typeMsg:
		if msg.organization == d.org.ID {
			d.typ = msg.typ
			d.table.restart()
			return d, d.load(0)
		}
	case organizationMsg:
		d.org, d.owner = msg.organization, msg.owner
	case changedMsg:
		d.table.stale()
		page, _ := d.table.wanted()
		return d, d.load(page)
	case tea.KeyMsg:
		return d, d.press(msg)
	case tea.MouseMsg:
		if d.table.update(msg, d.keys) {
			return d, d.open()
		}
		return d, d.fill()
	}
	return d, nil
}

func (d *documentList) press(msg tea.KeyMsg) tea.Cmd {
	k := d.keys
	if d.as() == nil {
		if key.Matches(msg, k.SignIn) {
			return d.send(memberMsg{d.org, d.owner})
		}
		return nil
	}
	doc, selected := d.table.current()
	switch {
	case key.Matches(msg, k.New) && d.mayWrite():
		return d.send(askMsg{newDocument(d.shared, d.org)})
	case key.Matches(msg, k.Type):
		return d.send(askMsg{chooseType(d.org.ID, d.typ)})
	case key.Matches(msg, k.Clear):
		return d.send(typeMsg{organization: d.org.ID})
	case key.Matches(msg, k.Refresh):
		d.table.restart()
		return d.load(0)
	case !selected:
		return nil
	case key.Matches(msg, k.Open):
		return d.open()
	case key.Matches(msg, k.Edit) && d.mayWrite():
		return d.send(draftOf(d.org, doc))
	case key.Matches(msg, k.Delete) && d.mayWrite():
		return d.send(askMsg{deleteDocument(d.shared, d.org, doc)})
	case key.Matches(msg, k.Copy):
		return d.send(copyMsg{"document " + doc.ID, pretty(doc.Data)})
	case key.Matches(msg, k.CopyID):
		return d.send(copyMsg{"the id " + doc.ID, doc.ID})
	}
	d.table.update(msg, k)
	return d.fill()
}

// mayWrite: a member whom an operator signs in as may do what they may do; the
// server says so.
func (d *documentList) mayWrite() bool {
	return d.who.operator || app.Role(d.who.role).Can(app.WriteDocuments)
}

func (d *documentList) open() tea.Cmd {
	doc, ok := d.table.current()
	if !ok {
		return nil
	}
	return d.send(openDocumentMsg{d.org, doc})
}

func (d *documentList) View() string {
	if d.as() == nil {
		lines := []string{"", "  " + d.styles.Strong.Render("Documents belong to the organization."), ""}
		for _, line := range wrap("An operator runs the installation and does not read what is in it. To see, add and change documents, sign in "+
			"as one of the organization's members, such as its owner.", min(d.width-4, 70), 5) {
			lines = append(lines, "  "+line)
		}
		lines = append(lines, "", "  "+d.styles.Key.Render("enter")+"  sign in as a member")
		return block(lines, d.width, d.height)
	}
	empty := ""
	switch {
	case !d.loaded || d.wait.number != 0:
	case d.typ != "":
		empty = "There is no document of the type " + d.typ + ". Press c to see all."
	default:
		empty = "There is no document yet. Press n to make the first one."
	}
	return d.table.view(d.styles, empty)
}

func (d *documentList) Title() string { return "Documents" }

func (d *documentList) ShortHelp() []key.Binding {
	k := d.keys
	if d.as() == nil {
		return []key.Binding{as(bind("enter", "", "enter"), "sign in as a member")}
	}
	keys := []key.Binding{k.Open}
	if d.mayWrite() {
		keys = append(keys, k.New, k.Edit, k.Delete)
	}
	return append(keys, as(k.Type, "type"))
}

func (d *documentList) Acts() []key.Binding {
	k := d.keys
	if d.as() == nil {
		return []key.Binding{k.SignIn}
	}
	var acts []key.Binding
	if d.mayWrite() {
		acts = append(acts, as(k.New, "new document"))
	}
	acts = append(acts, as(k.Type, "show documents of one type"), as(k.Clear, "show all types"), k.Refresh)
	if doc, ok := d.table.current(); ok {
		acts = append(acts, as(k.Open, "open document "+clean(doc.ID)), as(k.Copy, "copy the document"), as(k.CopyID, "copy the document's id"))
		if d.mayWrite() {
			acts = append(acts, as(k.Edit, "edit the document in "+editorName()), as(k.Delete, "delete the document"))
		}
	}
	return acts
}

// chooseType asks which type is shown.
func chooseType(org, now string) question {
	return question{
		title: "Documents of one type", verb: "show", doing: "Reading",
		fields: []field{{
			name: "type", title: "Type", initial: now, limit: 100, placeholder: "all",
			check: optional("type", documents.CheckType),
			note:  func(values) string { return "Empty shows all types." },
		}},
		do: func(_ context.Context, _ *session, v values) (tea.Msg, error) {
			return typeMsg{org, strings.TrimSpace(v["type"])}, nil
		},
	}
}
