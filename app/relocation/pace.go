package relocation

import (
	"context"
	"time"
)

// pace holds copying and verifying back, so that the neighbours do not suffer.
type pace struct {
	page, pageBytes  int // what is read in one piece
	documents, bytes float64
	free             time.Time // when the next piece may begin
	quickest         time.Duration
}

// slow is how many times slower than at its best the source must be for copying
// to give way.
const slow = 4

// longestWay bounds how long copying gives way at a time.
const longestWay = time.Second

func (m *Mover) pace() *pace {
	p := &pace{page: page, pageBytes: pageBytes, documents: float64(m.cfg.DocumentsPerSecond), bytes: float64(m.cfg.BytesPerSecond)}
	// Several pieces a second, so that it is a pace and no gallop.
	if p.documents > 0 {
		p.page = min(page, max(1, m.cfg.DocumentsPerSecond/5))
	}
	if p.bytes > 0 {
		p.pageBytes = int(min(pageBytes, max(1, m.cfg.BytesPerSecond/5)))
	}
	return p
}

// after waits as long as a piece that was moved allows. took is how long the
// reading of it took.
func (p *pace) after(ctx context.Context, documents int, bytes int64, took time.Duration) error {
	now := time.Now()
	if p.free.Before(now) {
		p.free = now
	}
	var due time.Duration
	if p.documents > 0 {
		due = time.Duration(float64(documents) / p.documents * float64(time.Second))
	}
	if p.bytes > 0 {
		due = max(due, time.Duration(float64(bytes)/p.bytes*float64(time.Second)))
	}
	p.free = p.free.Add(due)
	wait := p.free.Sub(now)
	if full := documents == p.page || bytes > int64(p.pageBytes); full {
		if p.quickest == 0 || took < p.quickest {
			p.quickest = took
		}
		if took > slow*p.quickest && took > 10*time.Millisecond {
			wait = max(wait, min(took, longestWay))
		}
	}
	if wait > 0 && !sleep(ctx, wait) {
		return context.Cause(ctx)
	}
	return nil
}
