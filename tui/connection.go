package tui

import (
	"context"
	"errors"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app"
	"tenantry/app/client"
)

// pingEvery is how often a server that is away is asked whether it is back.
const pingEvery = time.Second

// hear notes from any answer whether the server is there and whether the
// sign-in is still good.
func (r *root) hear(o outcome) tea.Cmd {
	err := o.failure()
	switch {
	case errors.Is(err, context.Canceled):
	case gone(err):
		known := r.away != nil
		r.away = err
		if !known {
			r.notice = ""
			return r.ping()
		}
	case errors.Is(err, app.ErrUnauthenticated) && o.asker() != r.session:
		r.members.drop(o.asker()) // the screens ask for another
	case errors.Is(err, app.ErrUnauthenticated):
		if !asksWho(r.top()) {
			return r.push(newSignIn(r.shared, err))
		}
	}
	return nil
}

// pingMsg asks again whether the server is back.
type pingMsg struct{}

// backAgainMsg: the server answers again.
type backAgainMsg struct{ err error }

func (r *root) ping() tea.Cmd {
	if r.away == nil {
		return nil
	}
	ctx, s := r.ctx, r.session
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		backend, _ := s.current()
		_, err := backend.Ready(ctx)
		return backAgainMsg{err}
	}
}

// backAgain waits on, or has every screen read anew.
func (r *root) backAgain(msg backAgainMsg) tea.Cmd {
	if gone(msg.err) {
		r.away = msg.err
		return tea.Tick(pingEvery, func(time.Time) tea.Msg { return pingMsg{} })
	}
	r.away = nil
	if r.notice == "" {
		r.notice = "The server is back."
	}
	if !r.known {
		return r.identify()
	}
	return r.all(changedMsg{})
}

// newsMsg is of [Server.News].
type newsMsg struct{ text string }

func (r *root) hearNews() tea.Cmd {
	ctx, news := r.ctx, r.session.server.News
	if news == nil {
		return nil
	}
	return func() tea.Msg {
		select {
		case text := <-news:
			return newsMsg{text}
		case <-ctx.Done():
			return nil
		}
	}
}

// gone reports a server that cannot be reached.
func gone(err error) bool {
	var unreachable *client.UnreachableError
	return errors.As(err, &unreachable)
}
