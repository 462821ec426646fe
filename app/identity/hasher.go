package identity

import (
	"container/list"
	"context"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"tenantry/app"
)

// hasher runs bcrypt so that it slows nothing else and nobody waits in vain.
//
// bcrypt never yields and takes a quarter of a second, so it runs on a few
// threads of its own with the lowest priority, which have room in GOMAXPROCS
// beside the rest. Who comes waits in one queue, first come first served; who
// would not be done within maxWait is not admitted. A busy machine makes each
// hash slower, so the length of the queue says little: what counts is the
// expected wait, from a moving average of how long hashes take now.
type hasher struct {
	cost    int
	workers int
	maxWait time.Duration
	// hold is how long a refusal is kept back. A client that tries again at once
	// would otherwise turn refusals into load; this way 64 of them are 64
	// requests a second.
	hold time.Duration

	mu      sync.Mutex
	arrived sync.Cond
	queue   list.List // of *hashJob
	running map[*hashJob]struct{}
	closed  bool
	held    int
	average time.Duration // of one hash, moving
	fastest time.Duration // of one hash, ever
	stats   HashStats

	done sync.WaitGroup
}

// hashJob is one piece of work. The fields are guarded by hasher.mu; finished
// is closed when work has returned, or refused is set and it never will run.
type hashJob struct {
	work     func()
	deadline time.Time // by when it must be done
	started  time.Time
	element  *list.Element
	refused  bool
	finished chan struct{}
}

// maxHeld bounds how many refusals are kept back at once.
const maxHeld = 1024

func newHasher(cfg Config, log *slog.Logger) *hasher {
	h := &hasher{
		cost:    cfg.BcryptCost,
		workers: cfg.Workers,
		maxWait: cfg.MaxWait,
		hold:    time.Second,
		running: make(map[*hashJob]struct{}),
	}
	h.arrived.L = &h.mu
	h.average = estimateHash(cfg.BcryptCost)
	h.fastest = h.average
	reserveProcs(cfg.Workers)
	for range cfg.Workers {
		h.done.Go(func() { h.serve(log) })
	}
	return h
}

// firstLocked gives who has waited longest; somebody must.
func (h *hasher) firstLocked() *hashJob {
	j, _ := h.queue.Front().Value.(*hashJob)
	return j
}

// Close refuses who waits, lets what runs finish and ends the threads.
func (h *hasher) Close() {
	h.mu.Lock()
	wasClosed := h.closed
	h.closed = true
	for h.queue.Len() > 0 {
		h.refuseLocked(h.firstLocked())
	}
	h.arrived.Broadcast()
	h.mu.Unlock()
	h.done.Wait()
	if !wasClosed {
		releaseProcs(h.workers)
	}
}

// admission refuses, after a while, when a job that came now would be. A
// caller asks before it reads anything, so that a storm costs no reads.
func (h *hasher) admission(ctx context.Context) error {
	h.mu.Lock()
	admitted := h.admitsLocked(time.Now())
	h.mu.Unlock()
	if admitted {
		return nil
	}
	return h.refusal(ctx)
}

// run does work on one of the threads and waits for it. An error means that
// work did not run or that its outcome came too late: app.ErrUnavailable with
// code sign_in_busy, or the context's own.
func (h *hasher) run(ctx context.Context, work func()) error {
	now := time.Now()
	j := &hashJob{work: work, deadline: now.Add(h.maxWait), finished: make(chan struct{})}
	h.mu.Lock()
	if !h.admitsLocked(now) {
		h.mu.Unlock()
		return h.refusal(ctx)
	}
	j.element = h.queue.PushBack(j)
	// What has begun may take a little longer than maxWait, and with a cost so
	// high that one hash takes that long, as long as it needs on a busy machine.
	limit := max(h.maxWait+h.maxWait/8, 4*h.fastest)
	h.arrived.Signal()
	h.mu.Unlock()

	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-j.finished:
		if j.refused {
			return h.busy()
		}
		return nil
	case <-ctx.Done():
		h.abandon(j)
		return ctx.Err()
	case <-timer.C:
		h.abandon(j)
		return h.busy()
	}
}

// abandon gives a waiting job's place up. One that runs already goes on, and
// nobody looks at its outcome.
func (h *hasher) abandon(j *hashJob) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if j.element != nil {
		h.refuseLocked(j)
	}
}

func (h *hasher) refuseLocked(j *hashJob) {
	h.queue.Remove(j.element)
	j.element = nil
	j.refused = true
	close(j.finished)
}

// serve is one thread's life.
func (h *hasher) serve(log *slog.Logger) {
	lowerPriority(log)
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		for h.queue.Len() == 0 && !h.closed {
			h.arrived.Wait()
		}
		if h.queue.Len() == 0 {
			return
		}
		j := h.firstLocked()
		now := time.Now()
		// It waited longer than was foreseen: the time goes to the next, who can
		// still be served. With nobody behind it, it may as well have its turn.
		if now.Add(h.average).After(j.deadline) && h.queue.Len() > 1 {
			h.refuseLocked(j)
			continue
		}
		h.queue.Remove(j.element)
		j.element = nil
		j.started = now
		h.running[j] = struct{}{}
		h.mu.Unlock()

		j.work()

		took := time.Since(now)
		h.mu.Lock()
		delete(h.running, j)
		h.recordLocked(took)
		close(j.finished)
	}
}

func (h *hasher) recordLocked(took time.Duration) {
	h.stats.Hashed++
	h.stats.Busy += took
	h.fastest = min(h.fastest, took)
	weight := time.Duration(4)
	if took < h.average {
		weight = 2 // a storm that is over is forgotten soon
	}
	h.average += (took - h.average) / weight
}

// admitsLocked reports whether a job that comes now is expected to be done in
// time. With a free thread and nobody waiting it is always let in: there is no
// better moment.
func (h *hasher) admitsLocked(now time.Time) bool {
	if h.closed {
		return false
	}
	free := h.workers - len(h.running) - h.queue.Len()
	return free > 0 || h.expectedLocked(now, h.queue.Len()+1) <= h.maxWait
}

// expectedLocked is how long until the job at this place in the queue, from 1,
// is done.
func (h *hasher) expectedLocked(now time.Time, place int) time.Duration {
	each := h.average
	var left time.Duration
	for j := range h.running {
		elapsed := now.Sub(j.started)
		each = max(each, elapsed) // it gets slower right now
		left += max(0, h.average-elapsed)
	}
	return (left + time.Duration(place)*each) / time.Duration(h.workers)
}

// refusal holds the refusal back for a while, unless too many are, and gives it.
func (h *hasher) refusal(ctx context.Context) error {
	h.mu.Lock()
	hold := h.held < maxHeld && !h.closed && h.hold > 0
	if hold {
		h.held++
	}
	h.mu.Unlock()
	if hold {
		timer := time.NewTimer(h.hold)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		h.mu.Lock()
		h.held--
		h.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return h.busy()
}

// busy is the refusal, with the time in which half of the queue will be done.
func (h *hasher) busy() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Refused++
	wait := h.expectedLocked(time.Now(), h.queue.Len()+1) / 2
	e := app.Fail(app.ErrUnavailable, "sign_in_busy",
		"Too many passwords are being checked at this moment. Try again shortly.")
	e.RetryAfter = min(max(wait.Round(time.Second), time.Second), 30*time.Second)
	return e
}

// HashStats say how the password threads are doing.
type HashStats struct {
	Workers int // threads
	Running int // hashes now
	Queued  int // jobs that wait
	Held    int // refusals that are kept back
	Hashed  uint64
	Refused uint64
	Busy    time.Duration // time spent hashing, summed over threads
	Average time.Duration // of one hash, moving
}

// Stats gives the figures of this moment.
func (h *hasher) Stats() HashStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.stats
	s.Workers, s.Running, s.Queued, s.Held, s.Average = h.workers, len(h.running), h.queue.Len(), h.held, h.average
	return s
}

// processors guards GOMAXPROCS, which is the process's own: several services
// in one process each add their threads and take them away again.
var processors sync.Mutex

// reserveProcs makes room for n more threads that compute all the time. The
// operating system, which knows their priority, then shares the cores out, and
// not Go's scheduler, which does not.
func reserveProcs(n int) {
	processors.Lock()
	defer processors.Unlock()
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + n)
}

func releaseProcs(n int) {
	processors.Lock()
	defer processors.Unlock()
	runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)-n))
}
