package documents_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tenantry/app"
	"tenantry/app/documents"
)

// moving is an organization that takes no writes until it is told to.
type moving struct {
	app.Cluster
	frozen, silent atomic.Bool
	asked, read    atomic.Int64
	kept           atomic.Bool
}

func (m *moving) Resolve(context.Context, app.Actor, string, app.Permission) (app.Organization, error) {
	if !m.kept.Swap(true) {
		m.read.Add(1)
	}
	return app.Organization{ID: "org"}, nil
}

func (m *moving) Located(context.Context, app.Organization) (app.Cluster, app.Namespace, error) {
	return m, app.Namespace{}, nil
}

func (m *moving) Forget(app.OrganizationID) { m.kept.Store(false) }

func (m *moving) InsertDocument(ctx context.Context, _ app.Namespace, _ app.Document) error {
	if m.asked.Add(1); !m.frozen.Load() {
		return nil
	}
	if m.silent.CompareAndSwap(true, false) {
		<-ctx.Done()
		return ctx.Err()
	}
	return app.ErrFrozen
}

// hold lets many write while the organization takes no writes, and gives how
// each ended, and how long after it does again the last was through.
func (m *moving) hold(t *testing.T, writers int, within, freeze time.Duration) (errs []error, late time.Duration) {
	t.Helper()
	m.frozen.Store(true)
	s := documents.New(m, app.Now).Holding(within)
	errs = make([]error, writers)
	var writing sync.WaitGroup
	for i := range errs {
		writing.Go(func() {
			_, errs[i] = s.Create(t.Context(), app.Actor{}, "org", documents.CreateInput{Type: "t", Data: []byte("{}")})
		})
	}
	time.Sleep(freeze)
	m.frozen.Store(false)
	thawed := time.Now()
	writing.Wait()
	return errs, time.Since(thawed)
}

// However many acts are held, one of them asks the stores whether it is over, and
// all are through soon after it is.
func TestOneAsksForAllThatAreHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &moving{}
		const writers = 1000
		errs, late := m.hold(t, writers, 10*time.Second, 3*time.Second)
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		// Each asks once at first and once in the end.
		if more := m.asked.Load() - 2*writers; more > 100 {
			t.Errorf("the cluster was asked %d times more than needed", more)
		}
		if n := m.read.Load(); n > 100 {
			t.Errorf("the organization was read %d times", n)
		}
		if late > 100*time.Millisecond {
			t.Errorf("the last was through %v after writes were taken again", late)
		}
	})
}

// Who asks for all and gets no answer keeps nobody waiting.
func TestOneThatIsNotAnsweredKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &moving{}
		m.frozen.Store(true)
		s := documents.New(m, app.Now).Holding(time.Minute)
		write := func(ctx context.Context) error {
			_, err := s.Create(ctx, app.Actor{}, "org", documents.CreateInput{Type: "t", Data: []byte("{}")})
			return err
		}
		ctx, cancel := context.WithCancel(t.Context())
		var silent sync.WaitGroup
		silent.Go(func() { _ = write(ctx) })
		synctest.Wait() // it is the one who asks
		m.silent.Store(true)
		time.Sleep(time.Second)
		time.AfterFunc(100*time.Millisecond, func() { m.frozen.Store(false) })
		began := time.Now()
		if err := write(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("it was held for %v", took)
		}
		cancel()
		silent.Wait()
	})
}

// An act is held for as long as it may be, and is told to come again then.
func TestHeldNoLongerThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &moving{}
		began := time.Now()
		errs, _ := m.hold(t, 20, 2*time.Second, 5*time.Second)
		for _, err := range errs {
			var told *app.Error
			if !errors.As(err, &told) || told.Code != "organization_moving" || told.RetryAfter == 0 {
				t.Errorf("it was told %v", err)
			}
		}
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
