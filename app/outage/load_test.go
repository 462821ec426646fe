package outage_test

import (
	"cmp"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load is writers at work.
type load struct {
	books []*book
	stop  atomic.Bool
	wait  sync.WaitGroup
}

// begin starts writers; each is a copy of one of the books, in turn.
func begin(writers int, books ...*book) *load {
	l := &load{}
	books[0].t.Cleanup(func() { // where the test has failed
		l.stop.Store(true)
		l.wait.Wait()
	})
	for i := range writers {
		b := books[i%len(books)]
		b = &book{t: b.t, servers: b.servers, name: fmt.Sprintf("%s-w%d", cmp.Or(b.name, b.org), i), org: b.org, cluster: b.cluster, token: b.token,
			founding: cmp.Or(b.founding, 16), forgetful: b.forgetful, mortal: b.mortal, brief: b.brief, pace: cmp.Or(b.pace, pace),
			documents: map[string]*record{}, marked: map[string]*record{}}
		l.books = append(l.books, b)
	}
	l.resume()
	return l
}

// resume lets the writers go on, after rest.
func (l *load) resume() {
	l.stop.Store(false)
	for _, b := range l.books {
		l.wait.Go(func() {
			for ; !l.stop.Load(); b.writes++ {
				b.write(b.writes)
			}
		})
	}
}

// rest lets each writer end what it is at, and compares their books with what
// the servers say.
func (l *load) rest(servers ...*site) {
	l.stop.Store(true)
	l.wait.Wait()
	for i, b := range l.books {
		b.t.Helper()
		b.check(servers[i%len(servers)])
	}
}

// end ends the writing: all is as the books have it, and the last thing that
// doctor says is that all is well.
func (l *load) end(t *testing.T, servers ...*site) {
	t.Helper()
	l.stop.Store(true)
	l.wait.Wait()
	servers[0].settles()
	l.rest(servers...)
	servers[0].settles()
	t.Logf("%d writes acknowledged, the slowest after %v, and %d refused", l.acknowledged(), l.longest().Round(time.Millisecond), l.refused())
}

// longest is how long a write took that was acknowledged, when all have ended.
func (l *load) longest() (d time.Duration) {
	for _, b := range l.books {
		d = max(d, time.Duration(b.longest.Load()))
	}
	return d
}

func (l *load) acknowledged() (n int64) {
	for _, b := range l.books {
		n += b.acknowledged.Load()
	}
	return n
}

func (l *load) refused() (n int64) {
	for _, b := range l.books {
		n += b.refused.Load()
	}
	return n
}

// goesOn waits until each writer had more acknowledged.
func (l *load) goesOn(t *testing.T, what string) {
	t.Helper()
	l.more(t, what, func(b *book) int64 { return b.acknowledged.Load() })
}

// isAnswered waits until each writer had more answers, of whichever kind.
func (l *load) isAnswered(t *testing.T, what string) {
	t.Helper()
	l.more(t, what, func(b *book) int64 { return b.acknowledged.Load() + b.refused.Load() })
}

func (l *load) more(t *testing.T, what string, count func(*book) int64) {
	t.Helper()
	before := make([]int64, len(l.books))
	for i, b := range l.books {
		before[i] = count(b)
	}
	await(t, what, func() bool {
		for i, b := range l.books {
			if count(b) < before[i]+3 {
				return false
			}
		}
		return true
	})
}
