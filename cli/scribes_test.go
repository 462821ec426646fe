package cli_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// scribes create organizations through servers all the time, and keep what was
// acknowledged.
type scribes struct {
	t       *testing.T
	servers []*server
	stopped chan struct{}
	wg      sync.WaitGroup
	// gone: no request that begins now may be acknowledged.
	gone atomic.Bool

	mu    sync.Mutex
	named []string
	by    map[*server]int // how many were acknowledged
	left  map[*server]int // how many were refused since that was asked for
}

func scribble(t *testing.T, servers ...*server) *scribes {
	w := &scribes{t: t, servers: servers, stopped: make(chan struct{}), by: map[*server]int{}, left: map[*server]int{}}
	for i, s := range servers {
		for j := range 3 {
			w.wg.Go(func() {
				for n, more := 0, true; more; n++ {
					more = w.write(s, fmt.Sprintf("org-%d-%d-%d", i, j, n))
				}
			})
		}
	}
	t.Cleanup(w.stop)
	return w
}

// write creates one, and reports whether there shall be more.
func (w *scribes) write(s *server, name string) bool {
	select {
	case <-w.stopped:
		return false
	case <-time.After(20 * time.Millisecond):
	}
	late := w.gone.Load()
	a, err := s.try("POST", "/org/create", "", map[string]string{"organization_name": name, "email": email(name), "password": password})
	if err != nil {
		w.t.Error(err)
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch a.Status {
	case http.StatusCreated:
		w.named = append(w.named, name)
		w.by[s]++
		if late {
			w.t.Errorf("%s was acknowledged where the registry is not any more", name)
		}
	case http.StatusServiceUnavailable:
		w.left[s]++
	case http.StatusAccepted: // it goes on; what becomes of it is not known
	default:
		w.t.Errorf("%s: %d %s", name, a.Status, a.Body)
		return false
	}
	return true
}

// more waits until each server has acknowledged, or refused, a few more.
func (w *scribes) more(of map[*server]int) {
	w.t.Helper()
	w.mu.Lock()
	clear(of)
	w.mu.Unlock()
	waitUntil(w.t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, s := range w.servers {
			if of[s] < 4 {
				return w.t.Failed()
			}
		}
		return true
	})
}

func (w *scribes) stop() {
	select {
	case <-w.stopped:
	default:
		close(w.stopped)
	}
	w.wg.Wait()
}

// allSignIn checks that who was acknowledged is there, with the old password.
func (w *scribes) allSignIn(s *server) {
	w.t.Helper()
	w.mu.Lock()
	names := slices.Clone(w.named)
	w.mu.Unlock()
	var wg sync.WaitGroup
	for part := range slices.Chunk(names, len(names)/4+1) {
		wg.Go(func() {
			for _, name := range part {
				a, err := s.try("POST", "/admin/login", "", map[string]string{"email": email(name), "password": password})
				if err != nil || a.Status != http.StatusOK {
					w.t.Errorf("%s cannot sign in: %v %d %s", name, err, a.Status, a.Body)
				}
			}
		})
	}
	wg.Wait()
	w.t.Logf("%d acknowledged, all can sign in", len(names))
}
