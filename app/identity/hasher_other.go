//go:build !linux

package identity

import "log/slog"

// lowerPriority does nothing where priority belongs to the whole process.
func lowerPriority(*slog.Logger) {}
