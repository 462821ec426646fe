package identity

import (
	"log/slog"
	"testing"

	"golang.org/x/sys/unix"
)

func TestHashingThreadHasTheLowestPriority(t *testing.T) {
	h := newHasher(Config{BcryptCost: minCost, Workers: 1, MaxWait: 1e9}, slog.New(slog.DiscardHandler))
	defer h.Close()
	var inside, main int
	if err := h.run(t.Context(), func() { inside = niceness(t) }); err != nil {
		t.Fatal(err)
	}
	main = niceness(t)
	if inside != lowestPriority || main == lowestPriority {
		t.Errorf("niceness %d where passwords are hashed, %d elsewhere", inside, main)
	}
}

func niceness(t *testing.T) int {
	// The system call gives 20 minus the niceness.
	p, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
	if err != nil {
		t.Error(err)
	}
	return 20 - p
}
