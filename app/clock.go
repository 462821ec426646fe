package app

import "time"

// Clock tells the time. Tests replace it.
type Clock func() time.Time

// Now is the system's clock in UTC, cut to milliseconds: no engine keeps more
// (BSON does not), and what was written must equal what is read back.
func Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// Later is now, or since where the clock was set back behind it: a change is
// never stamped earlier than what it changes.
func Later(now, since time.Time) time.Time {
	if now.Before(since) {
		return since
	}
	return now
}
