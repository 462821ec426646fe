//go:build failpoint

package failpoint

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// plan is what the environment says. It is read once.
type plan struct {
	only, from, level, when string
	at                      int    // -1: nowhere
	method                  string // at= names one
	hurry                   time.Duration

	mu    sync.Mutex
	armed bool
	count int
}

const (
	atPort    = "port"
	atCommand = "command"
	before    = "before"
	after     = "after"
)

// the is the process's plan; nil without one.
var the = sync.OnceValue(func() *plan {
	said := os.Getenv("FAILPOINT")
	if said == "" {
		return nil
	}
	p := &plan{at: -1, level: atPort, when: before}
	for _, word := range strings.Fields(said) {
		key, value, _ := strings.Cut(word, "=")
		var err error
		switch key {
		case "only":
			p.only = value
		case "from":
			p.from = value
		case "level":
			p.level = value
		case "when":
			p.when = value
		case "at":
			if p.at, err = strconv.Atoi(value); err != nil {
				p.at, p.method, err = -1, value, nil
			}
		case "hurry":
			p.hurry, err = time.ParseDuration(value)
		default:
			err = fmt.Errorf("there is no %q", key)
		}
		if err != nil || p.level != atPort && p.level != atCommand || p.when != before && p.when != after {
			fmt.Fprintln(os.Stderr, "FAILPOINT:", word, err)
			os.Exit(2)
		}
	}
	p.armed = p.from == ""
	return p
})

// Hurry is how long what a dead server holds must stand still until it is taken
// from it; zero is the ordinary time.
func Hurry() time.Duration {
	if p := the(); p != nil {
		return p.hurry
	}
	return 0
}

// inside marks the context of a counted method: commands are counted in there
// alone.
type inside struct{}

// next counts a write of a level and gives its number; -1 where it is not
// counted.
func (p *plan) next(level string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.armed || level != p.level {
		return -1
	}
	p.count++
	return p.count - 1
}

// reached kills the process if this is the write and the side of it.
func (p *plan) reached(n int, when, what string) {
	if n < 0 || when != p.when || n != p.at && (p.method == "" || what != p.method) {
		return
	}
	fmt.Fprintf(os.Stderr, "failpoint: killed %s %s, %s %d\n", when, what, p.level, n)
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {} // until it is dead
}

// write is one method of a port.
func (p *plan) write(ctx context.Context, name string, do func(ctx context.Context) error) error {
	p.mu.Lock()
	p.armed = p.armed || p.from == name
	p.mu.Unlock()
	n := p.next(atPort)
	p.reached(n, before, name)
	err := do(context.WithValue(ctx, inside{}, name))
	p.reached(n, after, name)
	return err
}
