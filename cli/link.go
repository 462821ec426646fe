package cli

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"tenantry/app/appliance"
	"tenantry/app/client"
	"tenantry/app/config"
)

// openingTime is how long a command waits for a server that is just starting
// or stopping.
const openingTime = 10 * time.Second

// link is the way to a data folder: to the server that holds it, or else to
// one inside this process, which holds it until the link is closed. It outlives
// the holder: where that was a command such as this one the folder is held from
// here then. A "tenantry serve" that ended is waited for instead, since it was
// stopped for a reason, such as to copy the folder, and will want it back.
type link struct {
	g      *globals
	cmd    *cobra.Command
	cfg    config.Config
	folder string
	shares bool

	ctx    context.Context
	stop   context.CancelFunc
	news   chan string
	turn   chan struct{} // has room for the one who changes what follows
	inside *insideServer // where this process holds the folder
	holder *holder       // who else does, or did last
}

// holder is the server that is reached through the folder's socket.
type holder struct {
	socket    os.FileInfo // each makes its own
	temporary bool        // it is inside a command, and ends with it
	missed    bool        // that it ended was told
}

func newLink(g *globals, cmd *cobra.Command, cfg config.Config, folder string, shares bool) *link {
	l := &link{g: g, cmd: cmd, cfg: cfg, folder: folder, shares: shares, news: make(chan string, 8), turn: make(chan struct{}, 1)}
	l.ctx, l.stop = context.WithCancel(cmd.Context())
	return l
}

// open finds the server, or becomes it.
func (l *link) open() error {
	conn, err := l.dial(l.ctx)
	if err != nil {
		return err
	}
	if l.shares {
		go l.watch(conn)
		return nil
	}
	return conn.Close()
}

// watch learns of the holder's end by a connection that ends with it, also
// while nothing is asked of the server.
func (l *link) watch(conn net.Conn) {
	for {
		forget := context.AfterFunc(l.ctx, func() { _ = conn.Close() })
		// A server that ends waits for a new connection to ask something.
		_, _ = conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: tenantry\r\n\r\n"))
		_, _ = io.Copy(io.Discard, conn)
		forget()
		_ = conn.Close()
		var err error
		for conn, err = l.dial(l.ctx); err != nil; conn, err = l.dial(l.ctx) {
			select {
			case <-l.ctx.Done():
				return
			case <-time.After(time.Second):
			}
		}
	}
}

// dial gives a connection to whoever holds the folder now.
func (l *link) dial(ctx context.Context) (net.Conn, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for deadline := time.Now().Add(openingTime); ; {
		conn, err := l.try(ctx)
		var held *appliance.HeldError
		if !errors.As(err, &held) || time.Now().After(deadline) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-l.ctx.Done():
			return nil, l.ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// try is called by one at a time. The error is a *appliance.HeldError while
// the folder is on its way from one to the next.
func (l *link) try(ctx context.Context) (net.Conn, error) {
	if l.inside == nil {
		if conn := l.throughSocket(ctx); conn != nil {
			return conn, nil
		}
		if l.holder != nil && !l.holder.temporary {
			if !l.holder.missed {
				l.holder.missed = true
				l.tell("The server that held the folder has ended.")
			}
			return nil, &client.UnreachableError{URL: l.folder, Err: errors.New(
				"the server that held it has ended. Start it again, or leave this and start it anew to work without a server")}
		}
		if err := l.hold(); err != nil {
			return nil, err
		}
	}
	return l.inside.listener.DialWithLocalAddr(nil)
}

// throughSocket connects to the server that holds the folder, or gives nil
// where none answers.
func (l *link) throughSocket(ctx context.Context) (conn net.Conn) {
	socket, err := os.Lstat(filepath.Join(l.folder, client.SocketName))
	if err != nil {
		return nil
	}
	if l.holder == nil || !os.SameFile(socket, l.holder.socket) || !socket.ModTime().Equal(l.holder.socket.ModTime()) {
		c := l.g.running(ctx, l.folder)
		if c == nil {
			return nil
		}
		status, err := c.Status(ctx)
		c.Close()
		if l.holder != nil {
			l.tell("Another server holds the folder now, and is worked through.")
		}
		l.holder = &holder{socket: socket, temporary: err == nil && status.Temporary}
	}
	conn, err = client.DialSocket(ctx, l.folder)
	if err != nil {
		return nil
	}
	return conn
}

// hold makes this process the one that holds the folder.
func (l *link) hold() (err error) {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	l.inside, err = l.g.inside(l.ctx, l.cfg, l.cmd, l.shares)
	if err == nil && l.holder != nil {
		l.tell("The command that held the folder has ended. This one holds it now.")
	}
	return err
}

// tell drops what nobody hears.
func (l *link) tell(news string) {
	select {
	case l.news <- news:
	default:
	}
}

func (l *link) close() {
	l.stop()
	l.turn <- struct{}{} // and nobody's turn comes any more
	if l.inside != nil {
		l.inside.close()
	}
}
