package cli

import (
	"context"
	"errors"
	"io"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"tenantry/app/client"
	"tenantry/app/verify"
	"tenantry/tui"
)

func newTUI(g *globals) *cobra.Command {
	at := target{shares: true}
	cmd := &cobra.Command{
		Use:   "tui",
		Short: "Run the installation from this terminal",
		Long: `Show the installation in this terminal: organizations and their documents,
operations, clusters and operator keys. Without --url it works on the data
folder, through the server that holds it where one runs; with it on that server,
with the operator key of --key-file or a sign-in that it asks for.

Press ? in it for every key. NO_COLOR takes the colours away.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !isTerminal(cmd.OutOrStdout()) {
				return fail(exitUsage, errors.New("this needs a terminal; its output goes elsewhere"),
					`The other commands work without one: see "tenantry --help".`)
			}
			// A signal must not end the program before the terminal is as it was.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP, syscall.SIGQUIT)
			defer stop()
			// What a server inside this process logs would be written over the
			// screen.
			stderr, kept := cmd.ErrOrStderr(), &tail{}
			cmd.SetErr(kept)
			c, closed, err := at.connect(cmd, g, true)
			if err == nil {
				err = tui.Run(ctx, at.server(c))
				closed()
			}
			cmd.SetErr(stderr)
			kept.writeTo(stderr)
			return err
		},
	}
	at.flags(cmd)
	return cmd
}

// server is the client as the UI uses it.
func (t *target) server(c *client.Client) tui.Server {
	name := c.URL()
	if c.OverSocket() {
		name = t.folder
	}
	return tui.Server{
		Name: name, Token: c.Token(), Trusted: c.OverSocket(), News: t.news,
		As: func(token string) tui.Backend { return c.As(token) },
		Verify: func(ctx context.Context, token string, o verify.Observer) verify.Report {
			return verify.Run(ctx, c.As(token), o)
		},
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// mostKept is in bytes.
const mostKept = 16 << 10

// Write is of io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-mostKept):]
	return len(p), nil
}

func (t *tail) writeTo(w io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = w.Write(t.text)
}
