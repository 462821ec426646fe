package tui

import (
	"context"
	"runtime/debug"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

const (
	// slowAfter is how long a call may take before a spinner says so.
	slowAfter = 200 * time.Millisecond
	spinEvery = 100 * time.Millisecond
)

// waiting is the one call to the server that a screen waits for. The zero
// value waits for nothing.
type waiting struct {
	number uint64 // of the call; 0 waits for nothing
	label  string
	slow   bool
	frame  int
	// quiet: nobody asked for it, so nobody is told, and esc means something
	// else.
	quiet  bool
	cancel context.CancelFunc
}

// stop ends the call. Its answer will be dropped.
func (w *waiting) stop() {
	if w.cancel != nil {
		w.cancel()
	}
	*w = waiting{}
}

// spin draws the next frame, and asks to be called again.
func (w *waiting) spin(msg spinMsg) tea.Cmd {
	if msg.number != w.number || w.quiet {
		return nil
	}
	w.slow = true
	w.frame++
	return tea.Tick(spinEvery, func(time.Time) tea.Msg { return msg })
}

// spinMsg turns the spinner of a call.
type spinMsg struct{ number uint64 }

// answer is what came of a call. Each type of value is a message of its own.
type answer[T any] struct {
	number uint64
	by     *session // that asked
	value  T
	err    error
}

func (a answer[T]) of() uint64      { return a.number }
func (a answer[T]) failure() error  { return a.err }
func (a answer[T]) asker() *session { return a.by }

// outcome is any answer.
type outcome interface {
	of() uint64
	failure() error
	asker() *session
}

// ask makes a call in a command and waits for it: an earlier one of the same
// screen is ended. A panic in the call is its error.
func ask[T any](b *base, s *session, label string, call func(context.Context, Backend) (T, error)) tea.Cmd {
	b.wait.stop()
	ctx, cancel := context.WithCancel(b.ctx)
	number := b.calls.Add(1)
	b.wait = waiting{number: number, label: label, cancel: cancel}
	run := func() (msg tea.Msg) {
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				msg = answer[T]{number: number, by: s, err: &panicError{value: p, stack: debug.Stack()}}
			}
		}()
		value, err := with(ctx, s, call)
		return answer[T]{number: number, by: s, value: value, err: err}
	}
	return tea.Batch(run, tea.Tick(slowAfter, func(time.Time) tea.Msg { return spinMsg{number} }))
}
