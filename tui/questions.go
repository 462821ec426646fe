package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app"
	"tenantry/app/client"
	"tenantry/app/documents"
	"tenantry/app/identity"
	"tenantry/app/tenancy"
)

// The rules of the forms' fields are the core's own.

func nameField(initial string) field {
	return field{
		name: "name", title: "Name", initial: initial, limit: 200, placeholder: "such as Acme GmbH",
		check: func(v values) string {
			name, err := tenancy.ParseName(v["name"])
			if err == nil && v["slug"] == "" {
				_, err = tenancy.Slugify(name)
			}
			return sentence(err)
		},
		note: func(v values) string {
			slug, _ := tenancy.Slugify(v["name"])
			return "Its slug will be " + slug + "."
		},
	}
}

func slugField() field {
	return field{
		name: "slug", title: "Slug", limit: 100, placeholder: "made from the name",
		check: optional("slug", func(s string) error { _, err := tenancy.ParseSlug(s); return err }),
		note:  func(values) string { return "How URLs name it. Leave it empty to have it made from the name." },
	}
}

func emailField(title, initial string) field {
	return field{
		name: "email", title: title, initial: initial, limit: 400, placeholder: "such as someone@example.com",
		check: func(v values) string { _, _, err := identity.ParseEmail(v["email"]); return sentence(err) },
	}
}

func passwordField(title string) field {
	return field{
		name: "password", title: title, secret: true, limit: 200,
		check: func(v values) string {
			return sentence(identity.CheckPassword(v["password"], v["email"], v["name"], v["slug"]))
		},
		note: func(values) string { return "Good. It is sent to the server and kept nowhere here." },
	}
}

// optional asks a rule of a field that may be empty.
func optional(name string, rule func(string) error) func(values) string {
	return func(v values) string {
		if v[name] == "" {
			return ""
		}
		return sentence(rule(v[name]))
	}
}

// typed demands that a name is typed before something is destroyed.
func typed(what, name string) field {
	shown := clean(name)
	return field{
		name: "typed", title: fmt.Sprintf("Type %s to confirm", shown), limit: 400,
		check: func(v values) string {
			if strings.TrimSpace(v["typed"]) != shown {
				return fmt.Sprintf("Type the %s exactly: %s", what, shown)
			}
			return ""
		},
		note: func(values) string { return "Press enter to do it, esc to leave everything as it is." },
	}
}

func createOrganization() question {
	return question{
		title: "New organization", verb: "create", doing: "Creating the organization",
		intro: "An organization with its owner, who signs in with this email address and password.",
		fields: []field{nameField(""), emailField("Owner's email", ""), passwordField("Owner's password"), slugField(), {
			name: "external_id", title: "External id", limit: 300, placeholder: "none",
			check: optional("external_id", tenancy.CheckExternalID),
			note:  func(values) string { return "Your own id for it, if there is one." },
		}},
		do: func(ctx context.Context, s *session, v values) (tea.Msg, error) {
			org, err := with(ctx, s, func(ctx context.Context, b Backend) (client.Organization, error) {
				return b.CreateOrganization(ctx, client.NewOrganization{Name: v["name"], Slug: v["slug"], ExternalID: v["external_id"],
					Owner: &client.NewOwner{Email: v["email"], Password: v["password"]}})
			})
			return createdMsg{org}, err
		},
	}
}

func renameOrganization(org client.Organization) question {
	return question{
		title: "Rename " + org.Name, verb: "rename", doing: "Renaming",
		intro:  "Its documents follow. A slug that was made from the name follows too, and the old one is free again.",
		fields: []field{nameField(org.Name), slugField()},
		do: func(ctx context.Context, s *session, v values) (tea.Msg, error) {
			renamed, err := with(ctx, s, func(ctx context.Context, b Backend) (client.Organization, error) {
				return b.UpdateOrganization(ctx, org.ID, client.OrganizationPatch{Name: v["name"], Slug: v["slug"], IfRevision: org.Revision})
			})
			return changedMsg{fmt.Sprintf("%s is called %s now.", org.Name, renamed.Name), &renamed}, err
		},
	}
}

func changeOwner(org client.Organization, owner client.Owner) question {
	email := emailField("Email", owner.Email)
	password := passwordField("New password")
	rule := password.check
	password.check = func(v values) string {
		if v["password"] == "" {
			return ""
		}
		v["name"], v["slug"] = org.Name, org.Slug
		return rule(v)
	}
	password.placeholder = "leave it as it is"
	password.note = func(v values) string {
		if v["password"] == "" {
			return "Leave it empty to keep the password."
		}
		return "A new password ends all of the owner's sign-ins."
	}
	return question{
		title: "Owner of " + org.Name, verb: "save", doing: "Saving",
		intro:  "The email address and password with which the owner signs in.",
		fields: []field{email, password},
		do: func(ctx context.Context, s *session, v values) (tea.Msg, error) {
			changed, err := with(ctx, s, func(ctx context.Context, b Backend) (client.Owner, error) {
				return b.UpdateOwner(ctx, org.ID, client.OwnerPatch{Email: v["email"], Password: v["password"]})
			})
			return changedMsg{notice: "The owner signs in as " + changed.Email + " now."}, err
		},
	}
}

func suspendOrganization(org client.Organization) question {
	return question{
		title: "Suspend " + org.Name, verb: "suspend", doing: "Suspending",
		intro:   "Its members are refused from now on, also those who are signed in. Its data stays, and you can resume it.",
		confirm: "Suspend " + clean(org.Name) + "?",
		do:      onOrganization(org, "is suspended", Backend.SuspendOrganization),
	}
}

func resumeOrganization(org client.Organization) question {
	return question{
		title: "Resume " + org.Name, verb: "resume", doing: "Resuming",
		intro: "Its members may sign in again.", confirm: "Resume " + clean(org.Name) + "?",
		do: onOrganization(org, "is active again", Backend.ResumeOrganization),
	}
}

func restoreOrganization(org client.Organization) question {
	return question{
		title: "Restore " + org.Name, verb: "restore", doing: "Restoring",
		intro: "Takes its deletion back. It is as it was before.", confirm: "Restore " + clean(org.Name) + "?",
		do: onOrganization(org, "is back", Backend.RestoreOrganization),
	}
}

func onOrganization(org client.Organization, done string, act func(Backend, context.Context, string) (client.Organization, error),
) func(context.Context, *session, values) (tea.Msg, error) {
	return func(ctx context.Context, s *session, _ values) (tea.Msg, error) {
		changed, err := with(ctx, s, func(ctx context.Context, b Backend) (client.Organization, error) { return act(b, ctx, org.ID) })
		return changedMsg{org.Name + " " + done + ".", &changed}, err
	}
}

func deleteOrganization(org client.Organization) question {
	intro := "Deletes the organization, its documents and its sign-ins."
	if org.State == string(app.StateDeleted) {
		intro = "It is deleted already and can still be restored. This removes its data now, for good."
	}
	return question{
		title: "Delete " + org.Name, verb: "delete", doing: "Deleting", intro: intro,
		fields: []field{typed("name", org.Name)},
		do: func(ctx context.Context, s *session, _ values) (tea.Msg, error) {
			deletion, err := with(ctx, s, func(ctx context.Context, b Backend) (client.Deletion, error) {
				return b.DeleteOrganization(ctx, org.ID)
			})
			gone := goneMsg{organization: org.ID, notice: org.Name + " is deleted."}
			if due := deletion.Operation.DueAt; deletion.Pending && due != nil {
				gone.notice = fmt.Sprintf("%s is deleted. It can be restored until %s.", org.Name, stamp(*due))
			}
			return gone, err
		},
	}
}

func createKey() question {
	return question{
		title: "New operator key", verb: "make", doing: "Making the key",
		intro: "Who holds it is an operator. It is shown once.",
		fields: []field{{
			name: "name", title: "Name", limit: 200, placeholder: "whose it is, or what for",
			check: func(v values) string { _, err := identity.ParseKeyName(v["name"]); return sentence(err) },
		}, {name: "expires_at", title: "Expires", initial: "never", options: []string{"never", "1 day", "7 days", "30 days", "90 days", "1 year"}}},
		do: func(ctx context.Context, s *session, v values) (tea.Msg, error) {
			days := map[string]int{"1 day": 1, "7 days": 7, "30 days": 30, "90 days": 90, "1 year": 365}[v["expires_at"]]
			var expires time.Time
			if days > 0 {
				expires = time.Now().AddDate(0, 0, days)
			}
			made, err := with(ctx, s, func(ctx context.Context, b Backend) (client.NewOperatorKey, error) {
				return b.CreateOperatorKey(ctx, v["name"], expires)
			})
			return keyMadeMsg{made}, err
		},
	}
}

func revokeKey(k client.OperatorKey) question {
	return question{
		title: "Revoke " + k.Name, verb: "revoke", doing: "Revoking",
		intro:   "Whoever uses this key is refused from now on. That cannot be taken back.",
		confirm: "Revoke the key " + clean(k.Name) + "?",
		do: func(ctx context.Context, s *session, _ values) (tea.Msg, error) {
			_, err := with(ctx, s, func(ctx context.Context, b Backend) (struct{}, error) {
				return struct{}{}, b.RevokeOperatorKey(ctx, k.ID)
			})
			return changedMsg{notice: "The key " + k.Name + " is worthless now."}, err
		},
	}
}

func cancelOperation(op client.Operation) question {
	kind, intro := kindWord(op), "What the operation did so far is undone. Only what has not gone too far can be cancelled."
	switch {
	case op.Relocation != nil:
		intro = "The organization stays where it is, and what was copied so far is removed."
	case op.Drain != nil:
		intro = "Those who have moved stay where they are now. The cluster takes organizations again."
	}
	return question{
		title: "Cancel the " + kind, verb: "cancel the " + kind, doing: "Cancelling", intro: intro,
		confirm: fmt.Sprintf("Cancel the %s %s?", kind, short(op.ID)),
		do: func(ctx context.Context, s *session, _ values) (tea.Msg, error) {
			_, err := with(ctx, s, func(ctx context.Context, b Backend) (client.Operation, error) { return b.CancelOperation(ctx, op.ID) })
			return changedMsg{notice: "The " + kind + " is cancelled."}, err
		},
	}
}

func deleteDocument(s shared, org client.Organization, d client.Document) question {
	return question{
		title: "Delete document " + d.ID, verb: "delete", doing: "Deleting",
		intro:   fmt.Sprintf("The document of type %s in revision %d is removed for good.", clean(d.Type), d.Revision),
		confirm: "Delete " + clean(d.ID) + "?",
		do: func(ctx context.Context, _ *session, _ values) (tea.Msg, error) {
			_, err := with(ctx, s.documentsAs(org.ID), func(ctx context.Context, b Backend) (struct{}, error) {
				return struct{}{}, b.DeleteDocument(ctx, org.ID, d.ID, d.Revision)
			})
			return documentGoneMsg{id: d.ID}, err
		},
	}
}

func newDocument(s shared, org client.Organization) question {
	return question{
		title: "New document", verb: "create", doing: "Creating the document",
		intro: "Its data is a JSON object.",
		fields: []field{{
			name: "type", title: "Type", limit: 100, placeholder: "such as note",
			check: func(v values) string { return sentence(documents.CheckType(v["type"])) },
			note:  func(values) string { return "What kind of thing it is; documents are listed by type." },
		}, {
			name: "data", title: "Data", limit: 1 << 20, placeholder: `such as {"title": "My first document"}`,
			check: optional("data", func(s string) error { _, err := documents.Compact("data", []byte(s)); return err }),
			note: func(v values) string {
				if v["data"] == "" {
					return "A JSON object on one line. Leave it empty to write it in " + editorName() + "."
				}
				return "This is good JSON."
			},
		}, {
			name: "id", title: "Id", limit: 200, placeholder: "made by the server",
			check: optional("id", func(s string) error { _, err := app.ParseDocumentID(s); return err }),
			note:  func(values) string { return "Your own id, if you have one. Leave it empty otherwise." },
		}},
		do: func(ctx context.Context, _ *session, v values) (tea.Msg, error) {
			if v["data"] == "" {
				return draftMsg{organization: org, id: v["id"], typ: v["type"], text: "{\n  \n}\n"}, nil
			}
			made, err := with(ctx, s.documentsAs(org.ID), func(ctx context.Context, b Backend) (client.Document, error) {
				return b.CreateDocument(ctx, org.ID, client.NewDocument{ID: v["id"], Type: v["type"], Data: []byte(v["data"])})
			})
			return changedMsg{notice: fmt.Sprintf("Document %s is made.", made.ID)}, err
		},
	}
}
