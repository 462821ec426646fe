//go:build failpoint

package failpoint

import (
	"context"
	"sync"

	"go.mongodb.org/mongo-driver/v2/event"
)

// Monitor counts the commands of a connection to MongoDB; nil without a plan.
func Monitor() *event.CommandMonitor {
	p := the()
	if p == nil {
		return nil
	}
	var sent sync.Map // request id -> number
	answered := func(ctx context.Context, e event.CommandFinishedEvent) {
		if n, counted := sent.LoadAndDelete(e.RequestID); counted {
			p.reached(n.(int), after, within(ctx, e.CommandName))
		}
	}
	return &event.CommandMonitor{
		// The driver tells of a command before it sends it, and in the same goroutine.
		Started: func(ctx context.Context, e *event.CommandStartedEvent) {
			if ctx.Value(inside{}) == nil {
				return
			}
			n := p.next(atCommand)
			p.reached(n, before, within(ctx, e.CommandName))
			sent.Store(e.RequestID, n)
		},
		Succeeded: func(ctx context.Context, e *event.CommandSucceededEvent) { answered(ctx, e.CommandFinishedEvent) },
		Failed:    func(ctx context.Context, e *event.CommandFailedEvent) { answered(ctx, e.CommandFinishedEvent) },
	}
}

func within(ctx context.Context, command string) string {
	method, _ := ctx.Value(inside{}).(string)
	return command + " of " + method
}
