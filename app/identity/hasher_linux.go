package identity

import (
	"log/slog"
	"runtime"

	"golang.org/x/sys/unix"
)

// lowestPriority is the nicest a thread can be. Not SCHED_IDLE: sign-in would
// starve beside a busy server.
const lowestPriority = 19

// lowerPriority ties the goroutine to its thread and gives that the lowest
// priority. It is never untied: the thread ends with the goroutine, since the
// priority cannot be raised again without privileges.
func lowerPriority(log *slog.Logger) {
	runtime.LockOSThread()
	if err := unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), lowestPriority); err != nil {
		log.Warn("password threads keep normal priority: sign-ins can slow other requests", "error", err)
	}
}
