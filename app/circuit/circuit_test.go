package circuit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tenantry/app"
)

// away is what an engine returns for a store that it cannot reach.
var away = &app.Error{Kind: app.ErrUnavailable, Code: "unavailable", Cause: &app.UnreachableError{Err: errors.New("refused")}}

// store is one that can be away.
type store struct {
	away  atomic.Bool
	asked atomic.Int64
}

func (s *store) health(context.Context) error {
	s.asked.Add(1)
	if s.away.Load() {
		return away
	}
	return nil
}

// within runs a test of a circuit on a clock of its own.
func within(t *testing.T, f func(t *testing.T, c *Circuit, s *store, log *bytes.Buffer)) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &store{}
		c := newCircuit(`cluster "eu"`, slog.New(slog.NewTextHandler(&log, nil)), s.health)
		defer c.close()
		f(t, c, s, &log)
	})
}

func fails() error { return away }
func works() error { return nil }

func TestAnUnluckyCallOpensNothing(t *testing.T) {
	within(t, func(t *testing.T, c *Circuit, s *store, log *bytes.Buffer) {
		for range 100 {
			_ = c.do(fails)
			synctest.Wait()
		}
		if s.asked.Load() == 0 {
			t.Error("the store was not asked")
		}
		if c.State().Open || log.Len() > 0 {
			t.Errorf("it is open, though the store answers: %s", log)
		}
	})
}

func TestItOpensAndCloses(t *testing.T) {
	within(t, func(t *testing.T, c *Circuit, s *store, log *bytes.Buffer) {
		s.away.Store(true)
		if err := c.do(fails); !errors.Is(err, away) {
			t.Fatalf("the call's own error is hidden: %v", err)
		}
		synctest.Wait()
		began := time.Now()
		for range 1000 {
			err := c.do(func() error { t.Error("the store was called"); return nil })
			var told *app.Error
			if !errors.As(err, &told) || !errors.Is(err, app.ErrUnavailable) || told.RetryAfter == 0 || !strings.Contains(told.Detail, `cluster "eu"`) {
				t.Fatalf("refused with %v", err)
			}
			if time.Since(began) != 0 {
				t.Fatal("it took a while to refuse")
			}
		}
		if got := c.State(); !got.Open || got.Refused != 1000 || got.Waiting != 0 {
			t.Errorf("the state is %+v", got)
		}
		time.Sleep(10 * time.Minute)
		if asked := s.asked.Load(); asked < 100 || asked > 320 {
			t.Errorf("asked %d times in ten minutes", asked)
		}
		s.away.Store(false)
		time.Sleep(askSeldom)
		synctest.Wait()
		if err := c.do(works); err != nil {
			t.Errorf("the store is back: %v", err)
		}
		if lines := strings.Count(log.String(), "\n"); lines != 2 || !strings.Contains(log.String(), "away_for=10m") {
			t.Errorf("the log has a line for each change and no more:\n%s", log)
		}
		asked := s.asked.Load()
		time.Sleep(time.Hour)
		if s.asked.Load() != asked {
			t.Error("a store that works is asked on and on")
		}
	})
}

// A call that was on its way when the circuit opened, and is answered, closes
// it.
func TestAnAnswerClosesIt(t *testing.T) {
	within(t, func(t *testing.T, c *Circuit, s *store, _ *bytes.Buffer) {
		s.away.Store(true)
		answered := make(chan struct{})
		go func() {
			_ = c.do(func() error { time.Sleep(9 * time.Second); close(answered); return app.ErrNotFound })
		}()
		synctest.Wait()
		_ = c.do(fails)
		synctest.Wait()
		if !c.State().Open {
			t.Fatal("it is not open")
		}
		<-answered
		synctest.Wait()
		if c.State().Open {
			t.Fatal("it is open")
		}
	})
}

func TestOnlySoManyWait(t *testing.T) {
	within(t, func(t *testing.T, c *Circuit, s *store, _ *bytes.Buffer) {
		answer := make(chan struct{})
		hang := func() error { <-answer; return nil }
		call := func() (refused bool) {
			done := make(chan error, 1)
			go func() { done <- c.do(hang) }()
			synctest.Wait()
			select {
			case err := <-done:
				return err != nil
			default:
				return false
			}
		}
		for range 3 * mayWait { // a burst is none of its business
			if call() {
				t.Fatal("refused at once")
			}
		}
		time.Sleep(patience + 1)
		if !call() {
			t.Fatal("more wait than may")
		}
		answer <- struct{}{}
		synctest.Wait()
		if call() {
			t.Fatal("refused just after an answer")
		}
		close(answer)
		synctest.Wait()
		time.Sleep(time.Hour)
		if got := c.State(); got.Waiting != 0 || got.Refused != 1 || s.asked.Load() != 0 {
			t.Fatalf("in the end: %+v, asked %d times", got, s.asked.Load())
		}
		if call() {
			t.Fatal("refused after an hour in which nobody called")
		}
	})
}

// A store that swallows everything answers no call, and fails none for long.
func TestSilenceIsNoticed(t *testing.T) {
	within(t, func(t *testing.T, c *Circuit, s *store, _ *bytes.Buffer) {
		s.away.Store(true)
		hang := func() error { time.Sleep(time.Minute); return away }
		for range 4 {
			go func() { _ = c.do(hang) }()
			time.Sleep(silence/4 + 1)
		}
		if c.State().Open {
			t.Fatal("it is open already")
		}
		go func() { _ = c.do(hang) }()
		synctest.Wait()
		if !c.State().Open {
			t.Fatal("it is not open")
		}
		time.Sleep(2 * time.Minute)
	})
}

// What a store that is asked swallows is as good as an answer that it is away.
func TestAskingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCircuit("registry", slog.New(slog.DiscardHandler), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		_ = c.do(fails)
		time.Sleep(askTimeout + 1)
		if !c.State().Open {
			t.Fatal("it is not open")
		}
		began := time.Now()
		c.close()
		if time.Since(began) > 0 {
			t.Fatal("closing waited for an answer")
		}
	})
}

func TestWhatTellsNothingOfTheStore(t *testing.T) {
	within(t, func(t *testing.T, c *Circuit, s *store, _ *bytes.Buffer) {
		s.away.Store(true)
		_ = c.do(fails)
		synctest.Wait()
		for _, err := range []error{context.Canceled, context.DeadlineExceeded, app.Invalid("x", "y", "z")} {
			c.mu.Lock()
			c.waiting++ // as if it had been on its way
			c.mu.Unlock()
			c.leave(err)
			if !c.State().Open {
				t.Errorf("%v closes the circuit", err)
			}
		}
		s.away.Store(false)
		time.Sleep(askSeldom)
		synctest.Wait()
		func() {
			defer func() { _ = recover() }()
			_ = c.do(func() error { panic("a fault") })
		}()
		if got := c.State(); got.Waiting != 0 {
			t.Errorf("a call that panicked waits for ever: %+v", got)
		}
	})
}

// stubs whose methods panic: nothing may reach them.
type (
	noCluster struct {
		app.Cluster
		store
	}
	noRegistry struct {
		app.Registry
		store
	}
)

func (s *noCluster) Health(ctx context.Context) error  { return s.health(ctx) }
func (s *noRegistry) Health(ctx context.Context) error { return s.health(ctx) }

// Every method of the ports that could wait is refused while the circuit is open.
func TestEveryMethodIsBehindIt(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	synctest.Test(t, func(t *testing.T) {
		cluster, registry := &noCluster{}, &noRegistry{}
		cluster.away.Store(true)
		registry.away.Store(true)
		a, first := Cluster(cluster, "eu", log)
		b, second := Registry(registry, log)
		defer first.close()
		defer second.close()
		_, _ = first.do(fails), second.do(fails)
		synctest.Wait()
		for around, port := range map[any]reflect.Type{a: reflect.TypeFor[app.Cluster](), b: reflect.TypeFor[app.Registry]()} {
			for i := range port.NumMethod() {
				name := port.Method(i).Name
				method := reflect.ValueOf(around).MethodByName(name)
				if method.Type().NumIn() == 0 || method.Type().In(0) != reflect.TypeFor[context.Context]() {
					continue // it asks nobody
				}
				in := []reflect.Value{reflect.ValueOf(t.Context())}
				for j := 1; j < method.Type().NumIn(); j++ {
					in = append(in, reflect.Zero(method.Type().In(j)))
				}
				out := method.Call(in)
				err, _ := out[len(out)-1].Interface().(error)
				var told *app.Error
				if !errors.As(err, &told) || told.RetryAfter != retryAfter {
					t.Errorf("%s.%s: %v", port, name, err)
				}
			}
		}
	})
}
