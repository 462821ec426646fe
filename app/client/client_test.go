package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/client"
	"tenantry/app/servertest"
)

func dial(t *testing.T, url string, opts client.Options) *client.Client {
	t.Helper()
	c, err := client.New(url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// tenant makes an organization and gives its owner's client.
func tenant(t *testing.T, c *client.Client, name string) (client.Organization, *client.Client) {
	t.Helper()
	email := strings.ToLower(name) + "@test.example"
	org, err := c.CreateOrganization(t.Context(), client.NewOrganization{Name: name,
		Metadata: map[string]string{"plan": "pro"}, ExternalID: "crm/" + name,
		Owner: &client.NewOwner{Email: email, Password: "a-fairly-long-secret-7", Name: "Owner of " + name}})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := c.As("").Login(t.Context(), email, "a-fairly-long-secret-7", "")
	if err != nil {
		t.Fatal(err)
	}
	if tokens.Organization.ID != org.ID || tokens.Role != "owner" || tokens.ExpiresIn <= 0 || tokens.UserID == "" {
		t.Errorf("tokens %+v", tokens)
	}
	return org, c.As(tokens.AccessToken)
}

// Everything that the client can ask of an organization, against a server.
func TestOrganizations(t *testing.T) {
	s := servertest.Start(t)
	operator := dial(t, s.URL+"/", client.Options{Token: s.Key})
	org, owner := tenant(t, operator, "Acme")
	if org.Slug != "acme" || org.State != "active" || org.Metadata["plan"] != "pro" || org.ExternalID != "crm/Acme" ||
		org.Revision != 1 || time.Since(org.CreatedAt).Abs() > time.Minute {
		t.Errorf("made %+v", org)
	}
	got, err := owner.Organization(t.Context(), "acme")
	if err != nil || got.ID != org.ID || got.ExternalID != org.ExternalID {
		t.Errorf("got %+v, %v", got, err)
	}

	// Merge patches: what is not said stays, null takes away.
	none := ""
	changed, err := owner.UpdateOrganization(t.Context(), org.ID, client.OrganizationPatch{
		Metadata: map[string]*string{"plan": nil, "seats": &[]string{"5"}[0]}, IfRevision: 1})
	if err != nil || changed.Name != "Acme" || len(changed.Metadata) != 1 || changed.Metadata["seats"] != "5" || changed.Revision != 2 {
		t.Errorf("changed %+v, %v", changed, err)
	}
	if _, err = owner.UpdateOrganization(t.Context(), org.ID, client.OrganizationPatch{Name: "Late", IfRevision: 1}); !errors.Is(err, app.ErrStale) {
		t.Errorf("a stale revision: %v", err)
	}
	if changed, err = owner.UpdateOrganization(t.Context(), org.ID, client.OrganizationPatch{ExternalID: &none}); err != nil || changed.ExternalID != "" {
		t.Errorf("external id taken away: %+v, %v", changed, err)
	}

	tenant(t, operator, "Bolt")
	tenant(t, operator, "Crane")
	page, err := operator.ListOrganizations(t.Context(), client.ListOrganizations{Limit: 2, Sort: "name", Count: true})
	if err != nil || len(page.Items) != 2 || page.Items[0].Name != "Acme" || page.NextCursor == "" || page.Total == nil || *page.Total != 3 {
		t.Fatalf("page %+v, %v", page, err)
	}
	page, err = operator.ListOrganizations(t.Context(), client.ListOrganizations{Limit: 2, Sort: "name", Cursor: page.NextCursor})
	if err != nil || len(page.Items) != 1 || page.Items[0].Name != "Crane" || page.NextCursor != "" || page.Total != nil {
		t.Errorf("page %+v, %v", page, err)
	}
	page, err = operator.ListOrganizations(t.Context(), client.ListOrganizations{ExternalID: "crm/Bolt", State: "active", Cluster: "default", Isolation: "collection"})
	if err != nil || len(page.Items) != 1 || page.Items[0].Name != "Bolt" {
		t.Errorf("filtered %+v, %v", page, err)
	}
	page, err = operator.ListOrganizations(t.Context(), client.ListOrganizations{Text: "a&b=c?#/"})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("a text with every delimiter: %+v, %v", page, err)
	}

	suspended, err := operator.SuspendOrganization(t.Context(), "acme")
	if err != nil || suspended.State != "suspended" {
		t.Errorf("suspended %+v, %v", suspended, err)
	}
	if _, err := owner.Organization(t.Context(), org.ID); err == nil {
		t.Error("a member reads a suspended organization")
	}
	if _, err := operator.ResumeOrganization(t.Context(), org.ID); err != nil {
		t.Error(err)
	}
	placement, err := operator.Placement(t.Context(), "acme")
	if err != nil || placement.Collection != "org_acme" || placement.Cluster != "default" || placement.Isolation != "collection" {
		t.Errorf("placement %+v, %v", placement, err)
	}
	if _, err := operator.DeleteOrganization(t.Context(), "acme"); err != nil {
		t.Error(err)
	}
	if _, err := operator.Organization(t.Context(), org.ID); !errors.Is(err, app.ErrNotFound) {
		t.Errorf("read after its deletion: %v", err)
	}
}

func TestDocuments(t *testing.T) {
	s := servertest.Start(t)
	_, c := tenant(t, dial(t, s.URL, client.Options{}), "Acme")
	// Numbers that no float holds come back as they were.
	data := json.RawMessage(`{"big":9007199254740993,"text":"naïve ☃ <&>"}`)
	made, err := c.CreateDocument(t.Context(), "acme", client.NewDocument{ID: "a.b~c_d-1", Type: "note", Data: data})
	if err != nil || made.ID != "a.b~c_d-1" || made.Revision != 1 {
		t.Fatalf("made %+v, %v", made, err)
	}
	got, err := c.Document(t.Context(), "acme", made.ID)
	if err != nil || !strings.Contains(string(got.Data), "9007199254740993") || !strings.Contains(string(got.Data), "☃ <&>") {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = c.PatchDocument(t.Context(), "acme", made.ID, json.RawMessage(`{"big":null,"small":1}`), 1)
	if err != nil || string(got.Data) != `{"text":"naïve ☃ <&>","small":1}` && string(got.Data) != `{"small":1,"text":"naïve ☃ <&>"}` {
		t.Errorf("patched %s, %v", got.Data, err)
	}
	if _, err = c.PutDocument(t.Context(), "acme", made.ID, "", json.RawMessage(`{}`), 1); !errors.Is(err, app.ErrStale) {
		t.Errorf("put on a stale revision: %v", err)
	}
	if got, err = c.PutDocument(t.Context(), "acme", made.ID, "memo", json.RawMessage(`{"x":1}`), 0); err != nil || got.Type != "memo" || got.Revision != 3 {
		t.Errorf("put %+v, %v", got, err)
	}
	for i := range 5 {
		if _, err := c.CreateDocument(t.Context(), "acme", client.NewDocument{ID: fmt.Sprintf("n%d", i), Type: "note", Data: json.RawMessage(`{}`)}); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for cursor := ""; ; {
		page, err := c.ListDocuments(t.Context(), "acme", "note", cursor, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Items {
			ids = append(ids, d.ID)
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if strings.Join(ids, " ") != "n0 n1 n2 n3 n4" {
		t.Errorf("listed %q", ids)
	}
	if err := c.DeleteDocument(t.Context(), "acme", "n0", 7); !errors.Is(err, app.ErrStale) {
		t.Errorf("delete on a stale revision: %v", err)
	}
	if err := c.DeleteDocument(t.Context(), "acme", "n0", 0); err != nil {
		t.Error(err)
	}
	if _, err := c.Document(t.Context(), "acme", "n0"); !errors.Is(err, app.ErrNotFound) {
		t.Errorf("read after its deletion: %v", err)
	}
	// What is put into a path stays in its segment.
	for _, id := range []string{"../../organizations", "a/b", "a?b=c", "a#b", "%2e%2e", ".."} {
		var answer *client.Error
		if doc, err := c.Document(t.Context(), "acme", id); !errors.As(err, &answer) || answer.Code == "" {
			t.Errorf("document %q: %+v, %v", id, doc, err)
		}
	}
}

func TestSignIn(t *testing.T) {
	s := servertest.Start(t)
	anybody := dial(t, s.URL, client.Options{})
	org, owner := tenant(t, anybody, "Acme")
	me, err := owner.Me(t.Context())
	if err != nil || me.Email != "acme@test.example" || me.OrganizationID != org.ID || len(me.Memberships) != 1 || me.Memberships[0].Slug != "acme" {
		t.Errorf("me %+v, %v", me, err)
	}
	tokens, err := anybody.Login(t.Context(), "ACME@test.example", "a-fairly-long-secret-7", "acme")
	if err != nil {
		t.Fatal(err)
	}
	next, err := anybody.Refresh(t.Context(), tokens.RefreshToken)
	if err != nil || next.AccessToken == tokens.AccessToken || next.RefreshToken == tokens.RefreshToken {
		t.Errorf("refreshed %+v, %v", next, err)
	}
	if err := anybody.Logout(t.Context(), next.RefreshToken); err != nil {
		t.Error(err)
	}
	if _, err := anybody.As(next.AccessToken).Me(t.Context()); !errors.Is(err, app.ErrUnauthenticated) {
		t.Errorf("after signing out: %v", err)
	}
	if _, err := anybody.Login(t.Context(), "acme@test.example", "wrong-password", ""); !errors.Is(err, app.ErrUnauthenticated) {
		t.Errorf("a wrong password: %v", err)
	}

	operator := anybody.As(s.Key)
	made, err := operator.CreateOperatorKey(t.Context(), "for a test", time.Now().Add(time.Hour))
	if err != nil || made.Key == "" || made.ExpiresAt == nil {
		t.Fatalf("key %+v, %v", made, err)
	}
	keys, err := anybody.As(made.Key).OperatorKeys(t.Context())
	if err != nil || len(keys) != 2 {
		t.Errorf("keys %+v, %v", keys, err)
	}
	if err := operator.RevokeOperatorKey(t.Context(), made.ID); err != nil {
		t.Error(err)
	}
	if _, err := anybody.As(made.Key).OperatorKeys(t.Context()); !errors.Is(err, app.ErrUnauthenticated) {
		t.Errorf("a revoked key: %v", err)
	}
}

// An empty id asks for nothing else.
func TestEmptyReference(t *testing.T) {
	s := servertest.Start(t)
	_, c := tenant(t, dial(t, s.URL, client.Options{}), "Acme")
	if _, err := c.Document(t.Context(), "acme", ""); !errors.Is(err, app.ErrNotFound) {
		t.Errorf("a document without an id: %v", err)
	}
	if _, err := c.ListDocuments(t.Context(), "", "", "", 0); !errors.Is(err, app.ErrNotFound) {
		t.Errorf("the documents of nobody: %v", err)
	}
	if _, err := c.DeleteOrganization(t.Context(), ""); !errors.Is(err, app.ErrNotFound) {
		t.Errorf("an organization without a name: %v", err)
	}
}

// A server's refusal keeps everything that one can act on.
func TestErrors(t *testing.T) {
	s := servertest.Start(t)
	c := dial(t, s.URL, client.Options{})
	_, err := c.CreateOrganization(t.Context(), client.NewOrganization{Name: "\x00", Owner: &client.NewOwner{Email: "nowhere", Password: "short"}})
	var answer *client.Error
	if !errors.As(err, &answer) || !errors.Is(err, app.ErrInvalid) || len(answer.Fields) == 0 || answer.RequestID == "" || answer.Code == "" {
		t.Fatalf("%#v", err)
	}
	for _, f := range answer.Fields {
		if f.Location == "" || f.Message == "" || !strings.Contains(answer.Error(), f.Message) {
			t.Errorf("field %+v is not in %q", f, answer.Error())
		}
	}
	tenant(t, c, "Acme")
	_, err = c.CreateOrganization(t.Context(), client.NewOrganization{Name: "acme", Owner: &client.NewOwner{Email: "b@test.example", Password: "a-fairly-long-secret-7"}})
	if !errors.Is(err, app.ErrConflict) || errors.Is(err, app.ErrNotFound) {
		t.Errorf("a name that is taken: %v", err)
	}
}

// What answers is no Tenantry server, or nobody, or too late.
func TestElsewhere(t *testing.T) {
	var asked sync.Map
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.Path, r.Header.Get("Authorization"))
		switch r.URL.Path {
		case "/v1/organizations/moved":
			http.Redirect(w, r, "/stolen", http.StatusTemporaryRedirect)
		case "/v1/organizations/slow":
			<-r.Context().Done()
		case "/v1/organizations/busy":
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"code":"busy","title":"Busy"}`))
		case "/v1/organizations/cut":
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"id":`))
		default:
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<h1>Welcome to nginx!</h1>"))
		}
	}))
	defer other.Close()
	c := dial(t, other.URL, client.Options{Token: "secret", Timeout: 500 * time.Millisecond})
	ask := func(ref string) error {
		_, err := c.Organization(t.Context(), ref)
		return err
	}
	var answer *client.Error
	var away *client.UnreachableError
	if err := ask("page"); err == nil || !strings.Contains(err.Error(), "not the JSON expected") && !strings.Contains(err.Error(), "something that is not") {
		t.Errorf("a web page: %v", err)
	}
	if err := ask("moved"); !errors.As(err, &answer) || answer.Code != "" || !strings.Contains(err.Error(), "is the URL right?") {
		t.Errorf("a redirect: %v", err)
	}
	if token, followed := asked.Load("/stolen"); followed {
		t.Errorf("a redirect was followed, with %q", token)
	}
	if err := ask("busy"); !errors.As(err, &answer) || answer.RetryAfter != 7*time.Second || !errors.Is(err, app.ErrUnavailable) || err.Error() != "Busy" {
		t.Errorf("a busy server: %v", err)
	}
	if err := ask("slow"); !errors.As(err, &away) || !errors.Is(err, app.ErrUnavailable) {
		t.Errorf("a server that is too slow: %v", err)
	}
	if err := ask("cut"); !errors.As(err, &away) {
		t.Errorf("an answer cut short: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Organization(ctx, "slow"); !errors.Is(err, context.Canceled) || errors.Is(err, app.ErrUnavailable) {
		t.Errorf("the caller's own ending: %v", err)
	}
	if _, err := c.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "is the URL right?") {
		t.Errorf("readiness of a web page: %v", err)
	}
	nobody := dial(t, "http://127.0.0.1:1", client.Options{})
	if _, err := nobody.Me(t.Context()); !errors.As(err, &away) || away.URL != "http://127.0.0.1:1" {
		t.Errorf("nobody there: %v", err)
	}
	for _, wrong := range []string{"", "host", "ftp://host", "http://", "http://u:secret@host", "http://host?x", "http://host#x", "://"} {
		if _, err := client.New(wrong, client.Options{}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("the URL %q: %v", wrong, err)
		}
	}
}

// A folder's socket, also where its path is longer than a socket's address
// holds. Who comes through it is the operator.
func TestSocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such paths")
	}
	s := servertest.Start(t)
	for _, folder := range []string{t.TempDir(), filepath.Join(t.TempDir(), strings.Repeat("deep/", 40))} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "linux" && len(folder) > 100 {
			continue
		}
		err := client.WithSocketPath(folder, func(path string) error {
			l, err := net.Listen("unix", path)
			if err == nil {
				go func() { _ = s.HTTP.ServeSocket(l) }() // until the server ends
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		c, err := client.Socket(folder, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		if ready, err := c.Ready(t.Context()); err != nil || ready.Status != "ready" {
			t.Errorf("%s: %+v, %v", folder, ready, err)
		}
		if _, err := c.OperatorKeys(t.Context()); err != nil || !c.OverSocket() {
			t.Errorf("%s: %v", folder, err)
		}
		if _, err := c.As("none").OperatorKeys(t.Context()); !errors.Is(err, app.ErrUnauthenticated) {
			t.Errorf("%s: a bad token over the socket: %v", folder, err)
		}
	}
	gone, err := client.Socket(t.TempDir(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var away *client.UnreachableError
	if _, err := gone.Ready(t.Context()); !errors.As(err, &away) {
		t.Errorf("a folder without a socket: %v", err)
	}
}
