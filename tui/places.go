package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

// atPlace is a part of the program that the header names.
type atPlace struct {
	binding key.Binding
	brief   string // its name where there is little room
	open    func(shared) Screen
}

// label names the place in the header.
func (p atPlace) label(width int) string {
	name := p.binding.Help().Desc
	if width < 76 {
		name = p.brief
	}
	return p.binding.Help().Key + " " + name
}

// places are where whoever is signed in can go. The admin of an organization
// sees that one alone.
func (r *root) places() []atPlace {
	k := r.keys.Places
	if !r.who.operator {
		return []atPlace{{as(k[0], "organization"), "organization", func(s shared) Screen { return newOrganization(s, s.who.organization) }}}
	}
	return []atPlace{
		{k[0], "home", func(s shared) Screen { return newDashboard(s) }},
		{k[1], "orgs", func(s shared) Screen { return newOrganizations(s) }},
		{k[2], "ops", func(s shared) Screen { return newOperations(s, "") }},
		{k[3], "clusters", func(s shared) Screen { return newClusters(s) }},
		{k[4], "keys", func(s shared) Screen { return newOperatorKeys(s) }},
		{k[5], "verify", func(s shared) Screen { return newVerify(s) }},
	}
}

// The messages that ask for a screen.
type (
	openOrganizationMsg struct{ organization client.Organization }
	// createdMsg is an organization that was just made.
	createdMsg      struct{ organization client.Organization }
	openDocumentMsg struct {
		organization client.Organization
		document     client.Document
	}
	openOperationMsg struct{ operation client.Operation }
	// relocateMsg asks where an organization is to be moved to.
	relocateMsg struct {
		organization client.Organization
		placement    client.Placement
	}
	// drainMsg asks where everybody on a cluster is to go.
	drainMsg struct{ cluster string }
	// askMsg asks a question.
	askMsg struct{ question question }
	// draftMsg is a document to be written in an editor: a new one, or another
	// text for the one that it is based on.
	draftMsg struct {
		organization client.Organization
		id, typ      string
		revision     int64
		text         string
	}
	// keyMadeMsg is an operator key, which is shown this once.
	keyMadeMsg struct{ key client.NewOperatorKey }
	// documentGoneMsg: the document is no more.
	documentGoneMsg struct{ id string }
	// memberMsg asks for a member of an organization to sign in.
	memberMsg struct {
		organization client.Organization
		email        string
	}
	// signedInMsg: the session is somebody else's now.
	signedInMsg struct{}
	signOutMsg  struct{}
)

// screenFor is the screen that a message asks for, or nil where it asks for
// none. What a later version can do gets a line here and a file of its own.
func screenFor(s shared, msg tea.Msg) Screen {
	switch msg := msg.(type) {
	case openOrganizationMsg:
		return newOrganization(s, msg.organization)
	case createdMsg:
		return newOrganization(s, msg.organization)
	case openDocumentMsg:
		return newDocumentView(s, msg)
	case openOperationMsg:
		return newOperation(s, msg.operation)
	case relocateMsg:
		return newRelocate(s, msg)
	case drainMsg:
		return newDrain(s, msg)
	case askMsg:
		return newForm(s, msg.question)
	case draftMsg:
		return newDraft(s, msg)
	case keyMadeMsg:
		return newSecret(s, msg.key)
	case chooseMsg:
		return newChoose(s, msg)
	case memberMsg:
		return newForm(s, memberSignIn(s, msg))
	}
	return nil
}
