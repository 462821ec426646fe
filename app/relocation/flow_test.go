package relocation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tenantry/app"
)

// bound is for how long a write may be held: what is promised of the terms that
// a scene has, and what the wires and the stores take for the write itself.
const bound = 2*lease + time.Second

// flow is an organization that is moved while writers write as fast as the
// stores answer. during says whether it goes on.
func flow(t *testing.T, documents, ids int, during func(s *scene, op app.Operation) bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := newScene(ctx, 1, false, documents)
	for _, v := range s.servers {
		v.mine.mend()
	}
	writing, rest := context.WithCancel(ctx)
	wrong := make([]error, len(s.writers))
	var writers sync.WaitGroup
	for i, w := range s.writers {
		writers.Go(func() {
			for n := 0; writing.Err() == nil && wrong[i] == nil; n++ {
				id := app.DocumentID(fmt.Sprintf("w%d-%04d", w.n, w.rnd.IntN(ids)))
				wrong[i] = w.act(ctx, s.servers[w.rnd.IntN(3)].docs, id, n)
			}
		})
	}
	s.work(0)
	for {
		time.Sleep(time.Millisecond)
		if _, op := s.book.now(); !during(s, op) {
			break
		}
	}
	// It is completed after its grace period.
	for range 20 {
		s.work(1)
		time.Sleep(5 * time.Second)
	}
	rest()
	writers.Wait()
	for _, w := range s.writers {
		if w.held > bound {
			t.Errorf("a write was held for %v, and the bound is %v", w.held, bound)
		}
	}
	if err := errors.Join(append(wrong, s.want())...); err != nil {
		t.Error(err)
	}
	_, op := s.book.now()
	t.Logf("held for %v in %d tries to switch", op.Relocation.Held, op.Relocation.Cutovers)
	if op.State != app.OperationCompleted {
		t.Errorf("it is %s after %s: %s", op.State, op.Relocation.Phase, op.Error)
	}
	cancel()
	s.running.Wait()
}

// phase is that of the only namespace of a store.
func (s *scene) phase(store string) (phase app.NamespacePhase) {
	st := s.stores[store]
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, space := range st.spaces {
		phase = space.phase
	}
	return phase
}

// Writers who write more than can be copied are held now and then, and so it
// comes to its end; and the operation says so.
func TestWritersFasterThanTheCopying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := false
		began := time.Now()
		flow(t, 2000, 500, func(s *scene, op app.Operation) bool {
			s.stores["b"].cost.Store(int64(3 * time.Millisecond))
			told = told || strings.Contains(op.Error, "more is written than can be copied")
			if time.Since(began) > 5*time.Minute {
				t.Errorf("it does not come to its end: %s: %s; %+v", op.State, op.Error, op.Relocation)
				return false
			}
			return op.Relocation.Flips == 0
		})
		if !told {
			t.Error("the operation did not say that the writers are faster")
		}
	})
}

// A freeze ends in its time, whatever is stuck in it.
func TestAFreezeEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries, began := 0, time.Now()
		flow(t, 40, 200, func(s *scene, op app.Operation) bool {
			frozen, stuck := s.phase("a") == app.PhaseFrozen, time.Duration(0)
			if tries = op.Relocation.Cutovers; tries < 3 && frozen && time.Since(began) < 10*time.Minute {
				stuck = 30 * time.Second
			}
			s.stores["b"].stuck.Store(int64(stuck))
			return op.Relocation.Flips == 0
		})
		if tries < 2 {
			t.Errorf("it was tried %d times to switch: nothing was stuck", tries)
		}
	})
}
