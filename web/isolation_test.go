package web

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"tenantry/app"
	"tenantry/app/documents"
)

// keeper keeps every string that a handler hands over, as a cache or an audit
// would.
type keeper struct {
	Documents
	mu   sync.Mutex
	kept []kept
}

type kept struct{ org, id, typ, copied string }

func (k *keeper) keep(org, id, typ string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	// The copy is made now, byte for byte: what is kept must still equal it later.
	k.kept = append(k.kept, kept{org, id, typ, string([]byte(org + "|" + id + "|" + typ))})
}

func (k *keeper) Get(ctx context.Context, actor app.Actor, org, id string) (app.Document, error) {
	k.keep(org, id, "")
	return k.Documents.Get(ctx, actor, org, id)
}

func (k *keeper) List(ctx context.Context, actor app.Actor, org string, in documents.ListInput) (documents.ListPage, error) {
	k.keep(org, in.Cursor, in.Type)
	return k.Documents.List(ctx, actor, org, in)
}

func (k *keeper) Create(ctx context.Context, actor app.Actor, org string, in documents.CreateInput) (app.Document, error) {
	k.keep(org, in.ID, in.Type)
	return k.Documents.Create(ctx, actor, org, in)
}

// TestTenantsOnOneConnectionNeverMix interleaves tenants over connections that
// stay open, whose memory Fiber uses again for each request. Without
// fiber.Config.Immutable what is kept of one request changes with the next.
func TestTenantsOnOneConnectionNeverMix(t *testing.T) {
	keeper := &keeper{}
	w := newWorld(t, func(s *settings) {
		s.services = func(v *Services) { keeper.Documents = v.Documents; v.Documents = keeper }
	})
	var all [6]tenant
	for i := range all {
		// Of one length each, so that one would fit where the other was.
		all[i] = w.tenant()
		w.document(all[i], fmt.Sprintf(`{"owner":%q}`, all[i].slug))
	}
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	var group sync.WaitGroup
	for c := range 8 {
		conn := w.dial()
		group.Go(func() {
			defer func() { _ = conn.Close() }()
			r := bufio.NewReader(conn)
			for round := range rounds {
				o := all[(round*5+c)%len(all)]
				other := all[(round*5+c+1)%len(all)]
				id := fmt.Sprintf("d-%s-%02d-%03d", o.slug, c, round)
				body := fmt.Sprintf(`{"id":%q,"type":"t-%s","data":{"owner":%q}}`, id, o.slug, o.slug)
				for _, request := range []string{
					fmt.Sprintf("POST /v1/organizations/%s/documents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", o.slug, o.token, len(body), body),
					fmt.Sprintf("GET /v1/organizations/%s/documents/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", o.slug, id, o.token),
					fmt.Sprintf("GET /v1/organizations/%s/documents?type=t-%s&limit=200 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", o.slug, o.slug, o.token),
					fmt.Sprintf("GET /v1/organizations/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", o.slug, o.token),
				} {
					if _, err := io.WriteString(conn, request); err != nil {
						t.Error(err)
						return
					}
					a, err := readAnswer(r, "GET")
					if err != nil || a.status >= 300 {
						t.Error(a, err)
						return
					}
					for _, stranger := range all {
						if stranger != o && strings.Contains(string(a.body), stranger.slug+`"`) {
							t.Errorf("%s got something of %s: %s", o.slug, stranger.slug, a.body)
						}
					}
				}
				// The same connection as somebody else, at a thing of the first.
				if _, err := fmt.Fprintf(conn, "GET /v1/organizations/%s/documents/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", o.slug, id, other.token); err != nil {
					t.Error(err)
					return
				}
				if a, err := readAnswer(r, "GET"); err != nil || a.status != 404 || strings.Contains(string(a.body), `"data"`) {
					t.Error("a stranger got", a, err)
				}
			}
		})
	}
	group.Wait()
	changed := 0
	for _, k := range keeper.kept {
		if k.org+"|"+k.id+"|"+k.typ != k.copied {
			changed++
		}
	}
	if changed > 0 {
		t.Errorf("%d of %d kept strings changed after their request", changed, len(keeper.kept))
	}
	if len(keeper.kept) < rounds*8*3 {
		t.Error("only", len(keeper.kept), "strings were kept")
	}
	checkWhatIsStored(t, w, all[:])
	checkTheLog(t, w, all[:])
}

// checkWhatIsStored reads every document below the server.
func checkWhatIsStored(t *testing.T, w *world, all []tenant) {
	t.Helper()
	ctx := context.Background()
	for _, o := range all {
		org, err := w.core.registry.Organization(ctx, app.OrganizationID(o.id))
		if err != nil || org.Slug != o.slug {
			t.Error(org, err)
		}
		list, err := w.core.cluster.ListDocuments(ctx, app.Namespace{Organization: org.ID, Placement: org.Placement}, app.DocumentQuery{Limit: 10_000})
		if err != nil || len(list) < 2 {
			t.Error(len(list), err)
		}
		for _, d := range list {
			if string(d.Data) != fmt.Sprintf(`{"owner":%q}`, o.slug) || strings.HasPrefix(string(d.ID), "d-") && !strings.HasPrefix(string(d.ID), "d-"+o.slug+"-") {
				t.Errorf("%s has %s: %s", o.slug, d.ID, d.Data)
			}
		}
	}
}

// checkTheLog holds who and where of each line together.
func checkTheLog(t *testing.T, w *world, all []tenant) {
	t.Helper()
	ids := map[string]string{}
	for _, o := range all {
		ids[o.slug] = o.id
	}
	lines := 0
	for line := range strings.Lines(w.log.String()) {
		_, rest, found := strings.Cut(line, `"path":"/v1/organizations/`)
		if !found || !strings.Contains(line, `"status":20`) {
			continue
		}
		slug, _, _ := strings.Cut(strings.FieldsFunc(rest, func(r rune) bool { return r == '/' || r == '"' })[0], "?")
		if id := ids[slug]; id != "" {
			lines++
			if !strings.Contains(line, `"org_id":"`+id+`"`) {
				t.Error("a line names one tenant's path and another's id:", line)
			}
		}
	}
	if lines == 0 {
		t.Error("no line was looked at")
	}
}
