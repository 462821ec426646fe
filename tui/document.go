package tui

import (
	"context"
	"fmt"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app"
	"tenantry/app/client"
)

// documentView is one document, its JSON to fold.
type documentView struct {
	base
	org  client.Organization
	doc  client.Document
	json jsonView
}

func newDocumentView(s shared, msg openDocumentMsg) *documentView {
	return &documentView{base: base{shared: s}, org: msg.organization, doc: msg.document, json: newJSONView(msg.document.Data)}
}

func (d *documentView) organizationID() string { return d.org.ID }

func (d *documentView) Init() tea.Cmd {
	org, id := d.org.ID, d.doc.ID
	return ask(&d.base, d.documentsAs(org), "Reading the document", func(ctx context.Context, b Backend) (client.Document, error) {
		return b.Document(ctx, org, id)
	})
}

// SetSize is of Screen.
func (d *documentView) SetSize(width, height int) {
	d.base.SetSize(width, height)
	d.json.width, d.json.height = width, height-1
	d.json.move(0)
}

func (d *documentView) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[client.Document]:
		if d.take(msg) && msg.err == nil {
			d.set(msg.value)
		}
	case changedMsg, shownMsg:
		return d, d.Init()
	case documentGoneMsg:
		if msg.id == d.doc.ID {
			return d, d.send(backMsg{d}, changedMsg{notice: "Document " + msg.id + " is deleted."})
		}
	case tea.KeyMsg:
		return d, d.press(msg)
	case tea.MouseMsg:
		switch {
		case msg.Button == tea.MouseButtonWheelUp:
			d.json.move(-3)
		case msg.Button == tea.MouseButtonWheelDown:
			d.json.move(3)
		case msg.Action == tea.MouseActionPress && msg.Button == tea.MouseButtonLeft && msg.Y >= 1:
			d.json.move(d.json.top + msg.Y - 1 - d.json.selected)
			d.json.fold()
		}
	}
	return d, nil
}

// set shows another revision, and stays where one was.
func (d *documentView) set(doc client.Document) {
	if doc.Revision == d.doc.Revision {
		d.doc = doc
		return
	}
	d.doc = doc
	old := d.json
	d.json = newJSONView(doc.Data)
	d.json.width, d.json.height, d.json.top = old.width, old.height, old.top
	d.json.move(old.selected)
}

func (d *documentView) press(msg tea.KeyMsg) tea.Cmd {
	k := d.keys
	page := max(1, d.json.height)
	switch {
	case key.Matches(msg, k.Up):
		d.json.move(-1)
	case key.Matches(msg, k.Down):
		d.json.move(1)
	case key.Matches(msg, k.PageUp):
		d.json.move(-page)
	case key.Matches(msg, k.PageDown):
		d.json.move(page)
	case key.Matches(msg, k.First):
		d.json.move(-len(d.json.shown))
	case key.Matches(msg, k.Last):
		d.json.move(len(d.json.shown))
	case key.Matches(msg, k.Left):
		d.json.left = max(0, d.json.left-10)
	case key.Matches(msg, k.Right):
		d.json.left += 10
	case d.documentsAs(d.org.ID) != nil && key.Matches(msg, k.Fold):
		d.json.fold()
	case key.Matches(msg, k.FoldAll):
		d.json.foldAll(true)
	case key.Matches(msg, k.UnfoldAll):
		d.json.foldAll(false)
	case key.Matches(msg, k.Refresh):
		return d.Init()
	case d.documentsAs(d.org.ID) == nil && key.Matches(msg, k.SignIn):
		return d.send(memberMsg{organization: d.org})
	case key.Matches(msg, k.Copy):
		return d.send(copyMsg{"document " + d.doc.ID, pretty(d.doc.Data)})
	case key.Matches(msg, k.CopyID):
		return d.send(copyMsg{"the id " + d.doc.ID, d.doc.ID})
	case key.Matches(msg, k.Edit) && d.mayWrite():
		return d.send(draftOf(d.org, d.doc))
	case key.Matches(msg, k.Delete) && d.mayWrite():
		return d.send(askMsg{deleteDocument(d.shared, d.org, d.doc)})
	}
	return nil
}

func (d *documentView) mayWrite() bool {
	return d.who.operator || app.Role(d.who.role).Can(app.WriteDocuments)
}

func (d *documentView) View() string {
	head := fmt.Sprintf("  %s · revision %d · changed %s", clean(d.doc.Type), d.doc.Revision, ago(d.now(), d.doc.UpdatedAt))
	return d.styles.Faint.Render(fit(head, d.width)) + "\n" + d.json.view(d.styles)
}

func (d *documentView) Title() string { return d.doc.ID }

func (d *documentView) ShortHelp() []key.Binding {
	k := d.keys
	if d.documentsAs(d.org.ID) == nil {
		return []key.Binding{k.SignIn, k.Back}
	}
	keys := []key.Binding{as(k.Fold, "fold")}
	if d.mayWrite() {
		keys = append(keys, k.Edit, k.Delete)
	}
	return append(keys, k.Copy, k.FoldAll, k.UnfoldAll, k.Back)
}

func (d *documentView) Acts() []key.Binding {
	k := d.keys
	acts := []key.Binding{k.Fold, k.FoldAll, k.UnfoldAll, k.Left, k.Right, as(k.Copy, "copy the document"), k.CopyID, k.Refresh}
	if d.mayWrite() {
		acts = append([]key.Binding{as(k.Edit, "edit in "+editorName()), as(k.Delete, "delete the document")}, acts...)
	}
	return acts
}
