package tui

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"golang.org/x/sync/errgroup"

	"tenantry/app"
	"tenantry/app/client"
)

// overview says what an organization is, who owns it and where its data is.
type overview struct {
	base
	org       client.Organization
	owner     *client.Owner
	placement *client.Placement
	top       int
}

// aboutMsg is all that is shown. What the role may not see is nil.
type aboutMsg struct {
	organization client.Organization
	owner        *client.Owner
	placement    *client.Placement
}

func newOverview(s shared, org client.Organization) *overview {
	return &overview{base: base{shared: s}, org: org}
}

func (o *overview) Init() tea.Cmd {
	id := o.org.ID
	return ask(&o.base, o.session, "Reading the organization", func(ctx context.Context, b Backend) (aboutMsg, error) {
		var about aboutMsg
		together, ctx := errgroup.WithContext(ctx)
		together.Go(func() (err error) {
			about.organization, err = b.Organization(ctx, id)
			return err
		})
		together.Go(func() (err error) {
			about.owner, err = allowed(b.Owner(ctx, id))
			return err
		})
		together.Go(func() (err error) {
			about.placement, err = allowed(b.Placement(ctx, id))
			return err
		})
		return about, together.Wait()
	})
}

// allowed is a value, or nil where one may not see it.
func allowed[T any](value T, err error) (*T, error) {
	switch {
	case errors.Is(err, app.ErrForbidden):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &value, nil
}

func (o *overview) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[aboutMsg]:
		if o.take(msg) && msg.err == nil {
			o.org, o.owner, o.placement = msg.value.organization, msg.value.owner, msg.value.placement
			now := organizationMsg{organization: o.org}
			if o.owner != nil {
				now.owner = o.owner.Email
			}
			return o, o.send(now)
		}
	case organizationMsg:
		o.org = msg.organization
	case changedMsg, shownMsg:
		return o, o.Init()
	case tea.KeyMsg:
		return o, o.press(msg)
	}
	return o, nil
}

func (o *overview) press(msg tea.KeyMsg) tea.Cmd {
	k := o.keys
	switch {
	case key.Matches(msg, k.Refresh):
		return o.Init()
	case key.Matches(msg, k.CopyID):
		return o.send(copyMsg{"the id of " + o.org.Name, o.org.ID})
	case o.mayChangeOwner() && key.Matches(msg, k.Owner):
		return o.send(askMsg{changeOwner(o.org, *o.owner)})
	case key.Matches(msg, k.Down):
		o.top = min(o.top+1, max(0, len(o.lines())-o.height))
	case key.Matches(msg, k.Up):
		o.top = max(0, o.top-1)
	default:
		o.actOn(msg, o.org)
	}
	return nil
}

func (o *overview) mayChangeOwner() bool {
	return o.owner != nil && o.org.State != string(app.StateDeleted) && (o.who.operator || o.who.email == o.owner.Email)
}

func (o *overview) lines() []string {
	var lines []string
	say := func(label, value string) {
		lines = append(lines, "  "+o.styles.Faint.Render(fit(label, 14))+cut(value, o.width-18))
	}
	say("Name", o.styles.Strong.Render(clean(o.org.Name)))
	say("State", o.styles.state(o.org.State).Render(o.org.State))
	say("Slug", clean(o.org.Slug))
	say("Id", clean(o.org.ID))
	if o.org.ExternalID != "" {
		say("External id", clean(o.org.ExternalID))
	}
	if o.owner != nil {
		say("Owner", clean(o.owner.Email))
	}
	if p := o.placement; p != nil {
		say("Documents", thousands(p.Documents)+", "+bytesOf(p.Bytes))
		say("Placement", clean(p.Cluster)+" · "+clean(p.Isolation)+" · "+clean(p.Database)+"/"+clean(p.Collection))
	}
	say("Created", stamp(o.org.CreatedAt))
	say("Changed", stamp(o.org.UpdatedAt)+", revision "+thousands(o.org.Revision))
	for _, k := range slices.Sorted(maps.Keys(o.org.Metadata)) {
		say(cut(clean(k), 13), clean(o.org.Metadata[k]))
	}
	return lines
}

func (o *overview) View() string {
	lines := o.lines()
	return block(lines[min(o.top, max(0, len(lines)-1)):], o.width, o.height)
}

func (o *overview) Title() string { return "Overview" }

func (o *overview) ShortHelp() []key.Binding {
	var keys []key.Binding
	for _, act := range organizationActs(o.keys, o.org, o.who) {
		keys = append(keys, brief(act.key))
	}
	if o.mayChangeOwner() {
		keys = append(keys, as(o.keys.Owner, "owner"))
	}
	return keys
}

func (o *overview) Acts() []key.Binding {
	acts := keysOf(organizationActs(o.keys, o.org, o.who))
	if o.mayChangeOwner() {
		acts = append(acts, as(o.keys.Owner, "change the owner's email or password"))
	}
	return append(acts, as(o.keys.CopyID, "copy the organization's id"), o.keys.Refresh)
}
