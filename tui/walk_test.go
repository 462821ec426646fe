package tui

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/teatest"
	"github.com/muesli/termenv"
	"github.com/valyala/fasthttp/fasthttputil"

	"tenantry/app/appliance"
	"tenantry/app/client"
	"tenantry/app/config"
	"tenantry/app/verify"
	"tenantry/web"
)

// realServer is the real core behind the real server, as in the command.
func realServer(t *testing.T) Server {
	t.Helper()
	cfg := config.Default()
	cfg.DataDir, cfg.Password.BcryptCost, cfg.AllowNetworkFilesystem = t.TempDir(), 4, true
	log := slog.New(slog.DiscardHandler)
	a, err := appliance.Open(context.Background(), cfg, "test", log)
	if err != nil {
		t.Fatal(err)
	}
	server, err := web.New(web.Services{Tenancy: a.Tenancy, Documents: a.Documents, Identity: a.Identity, Version: "test"}, web.Options{Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	listener := fasthttputil.NewInmemoryListener()
	go func() { _ = server.ServeSocket(listener) }()
	c, err := client.Trusted(client.Options{Dial: func(context.Context) (net.Conn, error) { return listener.Dial() }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		_ = server.Shutdown(context.Background())
		_ = a.Close()
	})
	return Server{Name: "here", Trusted: true, As: func(token string) Backend { return c.As(token) },
		Verify: func(ctx context.Context, token string, o verify.Observer) verify.Report {
			return verify.Run(ctx, c.As(token), o)
		}}
}

// walker presses keys in the real event loop of Bubble Tea.
type walker struct {
	*testing.T
	model *teatest.TestModel
}

// see waits until all the texts were drawn since it last saw anything.
func (w walker) see(texts ...string) {
	w.Helper()
	teatest.WaitFor(w.T, w.model.Output(), func(drawn []byte) bool {
		text := ansi.Strip(string(drawn))
		return !slices.ContainsFunc(texts, func(t string) bool { return !strings.Contains(text, t) })
	}, teatest.WithDuration(patience), teatest.WithCheckInterval(10*time.Millisecond))
}

func (w walker) press(keys ...string) {
	for _, k := range keys {
		if t, named := namedKeys[k]; named {
			w.model.Send(tea.KeyMsg{Type: t})
			continue
		}
		w.model.Type(k)
	}
}

// A newcomer's walk: an organization is made, a document added, the
// organization renamed and deleted.
func TestNewcomersWalk(t *testing.T) {
	s := newShared(t.Context(), realServer(t), newStyles(true, termenv.Ascii))
	lipgloss.SetDefaultRenderer(s.styles.renderer)
	w := walker{t, teatest.NewTestModel(t, newRoot(s, func(string) {}), teatest.WithInitialTermSize(80, 24))}
	w.see("none yet. Press n to make the first one.")
	w.press("n")
	w.see("New organization")
	w.press("Acme", "enter", "owner@acme.example", "enter", "correct-horse-battery", "enter", "enter", "enter")
	w.see("Acme is made.", "org_acme")
	w.press("tab")
	w.see("sign in as a member")
	w.press("enter")
	w.see("Member's email")
	w.press("enter", "correct-horse-battery", "enter")
	w.see("There is no document yet. Press n to make the first one.")
	w.press("n")
	w.see("New document")
	w.press("note", "enter", `{"hello": "world"}`, "enter", "enter")
	w.see("is made.", "       now") // the row
	w.press("enter")
	w.see(`"hello": "world"`)
	w.press("esc", "shift+tab", "R")
	w.see("Rename Acme")
	w.press("2", "enter", "enter")
	w.see("Acme is called Acme2 now.")
	w.press("D")
	w.see("Type Acme2 to confirm")
	w.press("Acme2", "enter")
	w.see("Acme2 is deleted.")
	w.press("q")
	w.model.WaitFinished(t, teatest.WithFinalTimeout(patience))
}
