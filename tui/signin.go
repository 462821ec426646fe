package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app"
	"tenantry/app/client"
	"tenantry/app/identity"
)

// signIn asks who one is. It lies above the screen that one was at, which
// stays as it is.
type signIn struct{ *form }

func newSignIn(s shared, why error) *signIn {
	q := question{
		title: "Sign in to " + s.session.server.Name, verb: "sign in", doing: "Signing in",
		intro: "With an operator key, or with the email address and password of an organization's owner or admin.",
		fields: []field{{
			name: "email", title: "Email, or operator key", limit: 400, placeholder: "someone@example.com, or tnt_op_…",
			check: func(v values) string {
				if isKey(v["email"]) {
					return ""
				}
				_, _, err := identity.ParseEmail(v["email"])
				return sentence(err)
			},
			note: func(v values) string {
				if isKey(v["email"]) {
					return "An operator key. Press enter twice."
				}
				return ""
			},
		}, {
			name: "password", title: "Password", secret: true, limit: 400,
			note: func(v values) string {
				if isKey(v["email"]) {
					return "A key needs no password."
				}
				return ""
			},
		}},
		do: signInto,
	}
	var told *client.Error
	if errors.As(why, &told) && told.Code != "token_required" {
		q.intro = told.Detail + " " + q.intro
	}
	return &signIn{newForm(s, q)}
}

func isKey(s string) bool { return strings.HasPrefix(strings.TrimSpace(s), "tnt_") }

// signInto tries the sign-in, and keeps it where it is good.
func signInto(ctx context.Context, s *session, v values) (tea.Msg, error) {
	if secret := strings.TrimSpace(v["email"]); isKey(secret) {
		if _, err := identify(ctx, s.server.As(secret)); err != nil {
			return nil, asField(err, "email", "This key is not one of the server's, or it was revoked or has expired.")
		}
		s.use(secret, "")
		return signedInMsg{}, nil
	}
	tokens, err := s.server.As("").Login(ctx, v["email"], v["password"], "")
	var told *client.Error
	if errors.As(err, &told) && len(told.Organizations) > 0 {
		return chooseMsg{v["email"], v["password"], told.Organizations}, nil
	}
	if err != nil {
		return nil, asField(err, "password", wrongSignIn)
	}
	s.use(tokens.AccessToken, tokens.RefreshToken)
	return signedInMsg{}, nil
}

const wrongSignIn = "The email address or the password is wrong."

// asField says a refused sign-in at the field that it is about.
func asField(err error, field, message string) error {
	if errors.Is(err, app.ErrUnauthenticated) {
		return app.Invalid(field, "credentials_invalid", message)
	}
	return err
}

// Update is of Screen.
func (s *signIn) Update(msg tea.Msg) (Screen, tea.Cmd) {
	if key, ok := msg.(tea.KeyMsg); ok && key.Type == tea.KeyEsc {
		return s, nil // there is nothing to go back to before one is signed in
	}
	if a, ok := msg.(answer[tea.Msg]); ok && a.err == nil && s.take(a) {
		return s, s.send(a.value) // the root leaves this screen when it knows who one is
	}
	_, cmd := s.form.Update(msg)
	return s, cmd
}

// memberSignIn asks for a member of an organization, for its documents alone.
func memberSignIn(s shared, msg memberMsg) question {
	org, members := msg.organization, s.members
	return question{
		title: "Sign in to " + org.Name, verb: "sign in", doing: "Signing in",
		intro:  "To see and change its documents, as one of its members. You stay the operator for all else.",
		fields: []field{emailField("Member's email", msg.email), {name: "password", title: "Password", secret: true, limit: 400}},
		do: func(ctx context.Context, own *session, v values) (tea.Msg, error) {
			tokens, err := own.server.As("").Login(ctx, v["email"], v["password"], org.ID)
			if err != nil {
				return nil, asField(err, "password", wrongSignIn)
			}
			member := newSession(own.server)
			member.member = org.ID
			member.use(tokens.AccessToken, tokens.RefreshToken)
			members.put(org.ID, member)
			return changedMsg{notice: fmt.Sprintf("Signed in to %s as %s.", org.Name, v["email"])}, nil
		},
	}
}
