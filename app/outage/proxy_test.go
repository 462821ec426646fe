package outage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// proxy is one of Toxiproxy's before a server.
type proxy struct {
	t *testing.T
	*toxiproxy.Proxy
}

func before(t *testing.T, server string) *proxy {
	t.Helper()
	p := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), t.Name(), "127.0.0.1:0", server)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return &proxy{t, p}
}

// remains is what a fault leaves of the way through.
type remains int

const (
	nothing remains = iota
	some            // that is, some commands get through
	slowly          // all do, if slowly
)

// fault is something that a network does.
type fault struct {
	name string
	// toxic is Toxiproxy's word for it, on what goes up to the server, or down
	// from it. None: nobody gets through, and who was connected is cut off.
	toxic, stream string
	attributes    object
	leaves        remains
}

// begin makes the fault, and gives what ends it.
func (p *proxy) begin(f fault) (end func()) {
	p.t.Helper()
	if f.toxic == "" {
		p.Stop()
		return func() {
			if err := p.Start(); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	raw, err := json.Marshal(object{"name": f.name, "type": f.toxic, "stream": f.stream, "attributes": f.attributes})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.Toxics.AddToxicJson(bytes.NewReader(raw)); err != nil {
		p.t.Fatal(err)
	}
	return func() {
		if err := p.Toxics.RemoveToxic(context.Background(), f.name); err != nil {
			p.t.Fatal(err)
		}
	}
}

// faults are those of the network that Toxiproxy knows.
var faults = []fault{
	{name: "latency", toxic: "latency", stream: "downstream", attributes: object{"latency": 80, "jitter": 60}, leaves: slowly},
	{name: "bandwidth", toxic: "bandwidth", stream: "upstream", attributes: object{"rate": 20}, leaves: slowly},
	{name: "reset", toxic: "reset_peer", stream: "downstream", attributes: object{"timeout": 0}},
	{name: "limit", toxic: "limit_data", stream: "downstream", attributes: object{"bytes": 2500}, leaves: some},
	{name: "cut"},
	{name: "black hole for answers", toxic: "timeout", stream: "downstream", attributes: object{"timeout": 0}},
	{name: "black hole for commands", toxic: "timeout", stream: "upstream", attributes: object{"timeout": 0}},
}
