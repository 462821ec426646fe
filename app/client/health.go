package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Readiness is whether a server works, and which of its parts do.
type Readiness struct {
	Status string  `json:"status"` // "ready", "not_ready" or "stopping"
	Checks []Check `json:"checks"`
}

// Check is one part of a server.
type Check struct {
	Name   string `json:"name"`
	Status string `json:"status"` // "ok" or "failing"
	Detail string `json:"detail,omitempty"`
}

// Ready asks whether the server works. That it does not is no error.
func (c *Client) Ready(ctx context.Context) (Readiness, error) {
	var out Readiness
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/readyz", nil)
	if err != nil {
		return out, err
	}
	req.Header.Set("User-Agent", c.agent)
	res, err := c.http.Do(req)
	if err != nil {
		return out, c.unreachable(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(http.MaxBytesReader(nil, res.Body, 1<<20)).Decode(&out); err != nil || out.Status == "" {
		return out, fmt.Errorf("%s answered %s, not as Tenantry does; is the URL right?", c.name, res.Status)
	}
	return out, nil
}
