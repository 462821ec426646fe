package web

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"tenantry/app"
)

// withRole makes an organization whose only member has the role, and signs
// them in. No route can make a member yet, so the registry does.
func (w *world) withRole(role app.Role) tenant {
	w.t.Helper()
	must := func(err error) {
		if err != nil {
			w.t.Helper()
			w.t.Fatal(err)
		}
	}
	ctx := context.Background()
	n := tenants.Add(1)
	o := tenant{name: fmt.Sprintf("Role %d", n), slug: fmt.Sprintf("role-%d", n),
		email: fmt.Sprintf("%s%d@role.example", role, n), password: "correct-horse-battery"}
	hash, err := w.core.identity.HashPassword(ctx, o.password)
	must(err)
	id, user, at := app.NewID[app.OrganizationID](), app.NewID[app.UserID](), app.Now()
	placement, err := w.core.cluster.Locate(id, o.slug, app.IsolationCollection)
	must(err)
	placement.Cluster = "default"
	op := app.Operation{ID: app.NewID[app.OperationID](), Kind: app.OperationCreate, OrganizationID: id,
		State: app.OperationRunning, Placement: placement, CreatedAt: at, UpdatedAt: at}
	must(w.core.registry.BeginCreate(ctx, op, app.Creation{
		Organization: app.Organization{ID: id, Name: o.name, NameKey: strings.ToLower(o.name), Slug: o.slug, OwnerID: user,
			State: app.StateCreating, Placement: placement, Revision: 1, CreatedAt: at, UpdatedAt: at},
		Owner:      &app.User{ID: user, Email: o.email, EmailKey: o.email, PasswordHash: hash, Revision: 1, CreatedAt: at, UpdatedAt: at},
		Membership: app.Membership{OrganizationID: id, UserID: user, Role: role, CreatedAt: at},
	}))
	must(w.core.cluster.Provision(ctx, app.Namespace{Organization: id, Placement: placement}))
	_, err = w.core.registry.FinishCreate(ctx, op, at)
	must(err)
	a := w.do("POST", "/v1/auth/login", "", map[string]string{"email": o.email, "password": o.password})
	if a.status != 200 || a.field("role") != string(role) {
		w.t.Fatal("login:", a)
	}
	o.id, o.token, o.refresh = string(id), a.field("access_token"), a.field("refresh_token")
	return o
}

// put stores a document below all authorization.
func (w *world) put(o tenant, id string) {
	w.t.Helper()
	org, err := w.core.registry.Organization(context.Background(), app.OrganizationID(o.id))
	if err != nil {
		w.t.Fatal(err)
	}
	at := app.Now()
	err = w.core.cluster.InsertDocument(context.Background(), app.Namespace{Organization: org.ID, Placement: org.Placement},
		app.Document{ID: app.DocumentID(id), Type: "note", Data: []byte(`{"a":1}`), Revision: 1, CreatedAt: at, UpdatedAt: at})
	if err != nil {
		w.t.Fatal(err)
	}
}

// The columns of the table of who may.
const (
	noToken = iota
	badToken
	otherTenant // the owner of another organization
	viewer
	member
	admin
	owner
	operator
	columns
)

var columnNames = [columns]string{"no token", "bad token", "other tenant", "viewer", "member", "admin", "owner", "operator"}

func TestWhoMay(t *testing.T) {
	w := newWorld(t)
	stranger := w.withRole(app.RoleOwner)
	w.put(stranger, "own")
	everybody := [columns]int{401, 401, 200, 200, 200, 200, 200, 200}
	onlyOperator := func(success int) [columns]int { return [columns]int{401, 401, 403, 403, 403, 403, 403, success} }
	n := 0
	var kept [columns]*tenant
	for _, row := range []struct {
		route string // {org}, {name}, {doc}, {key}, {op} and {n} are filled in
		body  string
		want  [columns]int
		fresh bool // the organization is used up
	}{
		{route: "GET /v1/organizations/{org}", want: [columns]int{401, 401, 404, 200, 200, 200, 200, 200}},
		{route: "HEAD /v1/organizations/{org}", want: [columns]int{401, 401, 404, 200, 200, 200, 200, 200}},
		{route: "PATCH /v1/organizations/{org}", body: `{"metadata":{"plan":"a"}}`, want: [columns]int{401, 401, 404, 403, 403, 200, 200, 200}},
		{route: "DELETE /v1/organizations/{org}", want: [columns]int{401, 401, 404, 403, 403, 403, 204, 204}, fresh: true},
		{route: "GET /v1/organizations/{org}/placement", want: [columns]int{401, 401, 404, 403, 403, 200, 200, 200}},
		{route: "POST /v1/organizations/{org}/suspend", want: onlyOperator(200), fresh: true},
		{route: "POST /v1/organizations/{org}/resume", want: onlyOperator(200)},
		{route: "POST /v1/organizations/{org}/restore", want: onlyOperator(409)},
		{route: "GET /v1/operations?organization={org}", want: [columns]int{401, 401, 404, 403, 403, 200, 200, 200}},
		{route: "GET /v1/operations/{op}", want: [columns]int{401, 401, 404, 403, 403, 200, 200, 200}},
		{route: "POST /v1/operations/{op}/retry", want: onlyOperator(409)},
		{route: "POST /v1/operations/{op}/cancel", want: onlyOperator(409)},
		{route: "POST /v1/operations/{op}/complete", want: onlyOperator(409)},
		{route: "POST /v1/operations/{op}/revert", want: onlyOperator(409)},
		{route: "POST /v1/organizations/{org}/relocate", body: `{"isolation":"shared","dry_run":true}`, want: onlyOperator(200)},
		{route: "GET /v1/organizations/{org}/owner", want: [columns]int{401, 401, 404, 403, 403, 200, 200, 200}},
		{route: "PATCH /v1/organizations/{org}/owner", body: `{}`, want: [columns]int{401, 401, 404, 403, 403, 200, 200, 200}},
		{route: "GET /v1/status", want: onlyOperator(200)},
		{route: "GET /v1/clusters", want: onlyOperator(200)},
		{route: "POST /v1/clusters", body: `{"name":"more-{n}","url":"sqlite:more","dry_run":true}`, want: onlyOperator(200)},
		{route: "DELETE /v1/clusters/none", want: onlyOperator(404)},
		{route: "POST /v1/clusters/default/drain", body: `{"dry_run":true}`, want: onlyOperator(200)},
		{route: "POST /v1/clusters/default/open", want: onlyOperator(200)},
		{route: "POST /v1/doctor", body: `{}`, want: onlyOperator(200)},
		{route: "GET /v1/organizations", want: everybody},
		{route: "POST /v1/organizations", body: `{"name":"By {n}","owner":{"email":"by{n}@x.example","password":"correct-horse-battery"}}`,
			want: [columns]int{201, 401, 201, 201, 201, 201, 201, 201}},
		{route: "POST /v1/organizations/{org}/documents", body: `{"type":"t","data":{}}`, want: [columns]int{401, 401, 404, 403, 201, 201, 201, 403}},
		{route: "GET /v1/organizations/{org}/documents", want: [columns]int{401, 401, 404, 200, 200, 200, 200, 403}},
		{route: "GET /v1/organizations/{org}/documents/{doc}", want: [columns]int{401, 401, 404, 200, 200, 200, 200, 403}},
		{route: "PUT /v1/organizations/{org}/documents/{doc}", body: `{"data":{}}`, want: [columns]int{401, 401, 404, 403, 200, 200, 200, 403}},
		{route: "PATCH /v1/organizations/{org}/documents/{doc}", body: `{}`, want: [columns]int{401, 401, 404, 403, 200, 200, 200, 403}},
		{route: "DELETE /v1/organizations/{org}/documents/{doc}", want: [columns]int{401, 401, 404, 403, 204, 204, 204, 403}},
		{route: "GET /v1/me", want: [columns]int{401, 401, 200, 200, 200, 200, 200, 403}},
		{route: "GET /v1/operator-keys", want: onlyOperator(200)},
		{route: "POST /v1/operator-keys", body: `{"name":"key {n}"}`, want: onlyOperator(201)},
		{route: "DELETE /v1/operator-keys/{key}", want: onlyOperator(204)},
		{route: "GET /org/get?organization_name={name}", want: [columns]int{200, 401, 200, 200, 200, 200, 200, 200}},
		{route: "PUT /org/update", body: `{"organization_name":"{name}","new_organization_name":"{name}"}`,
			want: [columns]int{401, 401, 403, 403, 403, 200, 200, 200}},
		{route: "DELETE /org/delete?organization_name={name}", want: [columns]int{401, 401, 403, 403, 403, 403, 200, 200}, fresh: true},
		{route: "POST /org/create", body: `{"organization_name":"Seed {n}","email":"seed{n}@x.example","password":"correct-horse-battery"}`,
			want: [columns]int{201, 401, 201, 201, 201, 201, 201, 201}},
		{route: "GET /healthz", want: [columns]int{200, 200, 200, 200, 200, 200, 200, 200}},
		{route: "GET /readyz", want: [columns]int{200, 200, 200, 200, 200, 200, 200, 200}},
		{route: "GET /health", want: [columns]int{200, 200, 200, 200, 200, 200, 200, 200}},
		{route: "GET /.well-known/jwks.json", want: [columns]int{200, 200, 200, 200, 200, 200, 200, 200}},
		{route: "GET /", want: [columns]int{200, 200, 200, 200, 200, 200, 200, 200}},
	} {
		for who := range columns {
			t.Run(row.route+" by "+columnNames[who], func(t *testing.T) {
				n++
				defer func(outer testing.TB) { w.t = outer }(w.t)
				w.t = t
				role := map[int]app.Role{viewer: app.RoleViewer, member: app.RoleMember, admin: app.RoleAdmin}[who]
				if role == "" {
					role = app.RoleOwner
				}
				target := kept[who]
				if target == nil || row.fresh {
					made := w.withRole(role)
					target = &made
					if !row.fresh {
						kept[who] = target
					}
				}
				token := map[int]string{badToken: "rubbish", otherTenant: stranger.token, operator: w.operator}[who]
				if who >= viewer && who <= owner {
					token = target.token
				}
				doc := fmt.Sprintf("doc-%d", n)
				if strings.Contains(row.route, "{doc}") {
					w.put(*target, doc)
				}
				key := "0190aaaa-0000-7000-8000-000000000000"
				if strings.Contains(row.route, "{key}") {
					key = w.do("POST", "/v1/operator-keys", w.operator, fmt.Sprintf(`{"name":"spare %d"}`, n)).field("id")
				}
				op := ""
				if strings.Contains(row.route, "{op}") {
					op = w.do("GET", "/v1/operations?organization="+target.slug, w.operator, nil).field("items.0.id")
				}
				fill := strings.NewReplacer("{org}", target.slug, "{op}", op, "{doc}", doc, "{key}", key, "{n}", fmt.Sprint(n))
				method, path, _ := strings.Cut(fill.Replace(row.route), " ")
				path = strings.ReplaceAll(path, "{name}", url.QueryEscape(target.name))
				var body any
				if row.body != "" {
					body = strings.ReplaceAll(fill.Replace(row.body), "{name}", target.name)
				}
				a := w.do(method, path, token, body)
				if a.status != row.want[who] {
					t.Errorf("got %v, want %d", a, row.want[who])
				}
				if a.status == 401 && a.header.Get("WWW-Authenticate") != "Bearer" {
					t.Error("401 without WWW-Authenticate:", a)
				}
				if who == otherTenant && a.status == 404 {
					missing := w.do(method, strings.Replace(path, target.slug, "no-such-organization", 1), token, body)
					if missing.field("code") != a.field("code") || missing.field("detail") != a.field("detail") {
						t.Errorf("what is another's can be told from what is not: %v, %v", a, missing)
					}
				}
			})
		}
	}
}

// Whatever of another's one names, by whichever name, it is as if it were not.
func TestAnotherOrganizationsThingsAreNotThere(t *testing.T) {
	w := newWorld(t)
	mine, theirs := w.tenant(), w.tenant()
	w.document(theirs, `{"secret":"theirs"}`)
	w.put(theirs, "known-id")
	w.put(mine, "my-id")
	for _, ref := range []string{theirs.id, theirs.slug} {
		for _, path := range []string{"", "/documents", "/documents/known-id", "/placement"} {
			w.expect(w.do("GET", "/v1/organizations/"+ref+path, mine.token, nil), 404, "organization_not_found")
		}
		w.expect(w.do("DELETE", "/v1/organizations/"+ref, mine.token, nil), 404, "organization_not_found")
	}
	w.expect(w.do("GET", "/v1/organizations/"+mine.slug+"/documents/known-id", mine.token, nil), 404, "document_not_found")
	// A cursor of theirs leads nowhere here.
	w.put(theirs, "known-id-2")
	page := w.do("GET", "/v1/organizations/"+theirs.slug+"/documents?limit=1", theirs.token, nil)
	a := w.do("GET", "/v1/organizations/"+mine.slug+"/documents?limit=1&cursor="+page.field("next_cursor"), mine.token, nil)
	if a.status != 422 || a.field("errors.0.location") != "cursor" {
		t.Error(a)
	}
	list := w.do("GET", "/v1/organizations?count=true&q=Tenant", mine.token, nil)
	if list.field("total") != "1" || list.field("items.0.id") != mine.id {
		t.Error(list)
	}
	if a := w.do("GET", "/org/get?organization_name="+url.QueryEscape(theirs.name), mine.token, nil); a.field("admin_email") != "" || a.status != 200 {
		t.Error("the address of another's administrator is told:", a)
	}
	if a := w.do("GET", "/org/get?organization_name="+url.QueryEscape(mine.name), mine.token, nil); a.field("admin_email") != mine.email {
		t.Error(a)
	}
}
