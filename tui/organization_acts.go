package tui

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app"
	"tenantry/app/client"
)

// organizationAct is something that can be done with an organization.
type organizationAct struct {
	key key.Binding
	ask func(client.Organization) question
}

// organizationActs are what whoever is signed in may do with an organization
// in its state. The server decides; this keeps from offering what it refuses.
func organizationActs(k *keyMap, org client.Organization, who person) []organizationAct {
	role := app.Role(who.role)
	var acts []organizationAct
	add := func(may bool, b key.Binding, does string, ask func(client.Organization) question) {
		if may {
			acts = append(acts, organizationAct{as(b, does), ask})
		}
	}
	state := app.OrganizationState(org.State)
	gone := state == app.StateDeleted
	add(!gone && (who.operator || role.Can(app.UpdateOrganization)), k.Rename, "rename organization", renameOrganization)
	add(who.operator && state == app.StateActive, k.Pause, "suspend organization", suspendOrganization)
	add(who.operator && state == app.StateSuspended, k.Resume, "resume organization", resumeOrganization)
	add(who.operator && gone, k.Restore, "restore organization", restoreOrganization)
	add(!gone && (who.operator || role.Can(app.DeleteOrganization)), k.Delete, "delete organization", deleteOrganization)
	add(gone && who.operator, k.Delete, "remove its data now", deleteOrganization)
	return acts
}

// actOn asks the question of the act that a key stands for.
func (s shared) actOn(msg tea.KeyMsg, org client.Organization) bool {
	for _, act := range organizationActs(s.keys, org, s.who) {
		if key.Matches(msg, act.key) {
			s.send(askMsg{act.ask(org)})
			return true
		}
	}
	return false
}

func keysOf(acts []organizationAct) []key.Binding {
	keys := make([]key.Binding, len(acts))
	for i, act := range acts {
		keys[i] = act.key
	}
	return keys
}

// brief is a binding with the first word of its description, for the footer.
func brief(b key.Binding) key.Binding {
	word, _, _ := strings.Cut(b.Help().Desc, " ")
	return as(b, word)
}
