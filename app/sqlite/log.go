package sqlite

import (
	"fmt"
	"os"
	"time"
)

const (
	// logWait is how long a group at most waits for readers, so that the log can
	// be cut back, in tries of logTry each; logRetry is after how long it is
	// tried again when one of them did not go away.
	logWait  = 300 * time.Millisecond
	logTry   = 50 * time.Millisecond
	logRetry = 2 * time.Second
)

// logBytes is the size of the file's write-ahead log.
func (d *database) logBytes() int64 {
	info, err := os.Stat(d.path + "-wal")
	if err != nil {
		return 0 // there is none until something is written
	}
	return info.Size()
}

// boundLog cuts the log back when it has outgrown its limit. SQLite begins it
// anew by itself, but only at a moment without readers in it, and where
// readers follow one another without a gap there is no such moment: what then
// remains is to hold the next group until those that read now are done.
//
// One try must not wait for long. It waits for the readers of one of SQLite's
// slots, and readers of the newest state, who would not be in its way, may
// meanwhile have moved into that slot; the next try sees that.
func (w *writer) boundLog() {
	begin := time.Now()
	if w.c == nil || w.d.logBytes() <= journalSizeLimit || begin.Sub(w.logTried) < logRetry {
		return
	}
	err := w.c.run(fmt.Sprintf("PRAGMA busy_timeout = %d", logTry.Milliseconds()))
	for err == nil && w.d.logBytes() > journalSizeLimit && time.Since(begin) < logWait {
		err = w.c.run("PRAGMA wal_checkpoint(TRUNCATE)")
	}
	if size := w.d.logBytes(); size > journalSizeLimit {
		w.logTried = time.Now()
		w.d.log.Warn("the write-ahead log could not be cut back: somebody reads for long",
			"file", w.d.path, "bytes", size, "error", err)
	}
	if w.c.run(fmt.Sprintf("PRAGMA busy_timeout = %d", busyTimeout.Milliseconds())) != nil {
		w.drop() // the next connection has the right one
	}
}
