package tui

import (
	"context"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

// choose asks a member of several organizations which one to sign in to.
type choose struct {
	base
	picker[client.OrganizationChoice]
	email, password string
}

// chooseMsg is a sign-in that lacks nothing but the organization.
type chooseMsg struct {
	email, password string
	choices         []client.OrganizationChoice
}

func newChoose(s shared, msg chooseMsg) *choose {
	return &choose{base: base{shared: s}, email: msg.email, password: msg.password,
		picker: newPicker(s.styles, "› ", "type to find one", msg.choices, func(c client.OrganizationChoice) string { return c.Name + " " + c.Slug })}
}

func (c *choose) Init() tea.Cmd { return c.input.Focus() }

func (c *choose) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[client.Tokens]:
		if c.take(msg) && msg.err == nil {
			c.session.use(msg.value.AccessToken, msg.value.RefreshToken)
			return c, c.send(signedInMsg{})
		}
		return c, nil
	case tea.KeyMsg:
		switch {
		case c.wait.number != 0:
			return c, nil
		case key.Matches(msg, c.keys.Back):
			return c, c.send(backMsg{c})
		case key.Matches(msg, c.keys.Open):
			return c, c.signIn()
		}
	}
	return c, c.update(msg)
}

func (c *choose) signIn() tea.Cmd {
	org, any := c.current()
	if !any {
		return nil
	}
	server, email, password := c.session.server, c.email, c.password
	return ask(&c.base, c.session, "Signing in to "+org.Name, func(ctx context.Context, _ Backend) (client.Tokens, error) {
		return server.As("").Login(ctx, email, password, org.ID)
	})
}

func (c *choose) View() string {
	lines := []string{" " + c.styles.Strong.Render("Choose an organization")}
	for _, line := range wrap(c.email+" is a member of "+plural(int64(len(c.all)), "organization", "organizations")+". Which one do you want to sign in to?", c.width-2, 2) {
		lines = append(lines, " "+c.styles.Faint.Render(line))
	}
	lines = append(lines, "", " "+c.input.View(), "")
	names := max(12, min(48, c.width/2))
	lines = append(lines, c.view(c.styles, c.height-len(lines), func(o client.OrganizationChoice) string {
		return fit(clean(o.Name), names) + "  " + fit(clean(o.Slug), max(4, min(c.width-names-5, 40)))
	}, "None of them has these words.")...)
	return block(lines, c.width, c.height)
}

func (c *choose) Title() string { return "Choose an organization" }

// Typing is of Screen.
func (c *choose) Typing() bool { return true }

func (c *choose) ShortHelp() []key.Binding {
	return []key.Binding{as(c.keys.Open, "sign in"), as(bind("↑/↓", "", "up"), "choose"), as(c.keys.Back, "back to the sign-in")}
}

func (c *choose) Acts() []key.Binding { return nil }
