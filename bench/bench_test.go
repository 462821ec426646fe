package main

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

func TestParseAnswer(t *testing.T) {
	const whole = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 5\r\n\r\nhello"
	for n := range len(whole) {
		if _, done, err := parseAnswer([]byte(whole[:n])); done || err != nil {
			t.Fatalf("after %d bytes: %v, %v", n, done, err)
		}
	}
	a, done, err := parseAnswer([]byte(whole + "HTTP/1.1 200"))
	if want := (answer{length: len(whole), status: 503, retryAfter: true}); !done || err != nil || a != want {
		t.Errorf("got %+v, %v, %v", a, done, err)
	}
	for _, wrong := range []string{
		"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "\r\n\r\n",
		"HTTP/1.1 abc OK\r\nContent-Length: 1\r\n\r\n",
	} {
		if _, _, err := parseAnswer([]byte(wrong)); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}

func TestLoadCountsWhatIsAnswered(t *testing.T) {
	var asked atomic.Int64
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/", func(c *fiber.Ctx) error {
		switch asked.Add(1) % 10 {
		case 0:
			return c.SendStatus(fiber.StatusInternalServerError)
		case 1:
			c.Set(fiber.HeaderRetryAfter, "1")
			return c.SendStatus(fiber.StatusServiceUnavailable)
		}
		return c.SendString(strings.Repeat("x", 100_000)) // in several pieces
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = app.Listener(l) }()
	t.Cleanup(func() { _ = app.Shutdown() })
	o, err := load{address: l.Addr().String(), connections: 4, limit: 200, request: same(get("/", ""))}.run()
	if err != nil {
		t.Fatal(err)
	}
	if o.statuses[200] != 160 || o.statuses[503] != 20 || o.statuses[500] != 20 || o.unexcused != 20 || o.good() != 160 {
		t.Errorf("counted %v, %d without Retry-After", o.statuses, o.unexcused)
	}
	if len(o.latencies) != 200 || o.took <= 0 || asked.Load() != 200 {
		t.Errorf("%d latencies in %s, %d requests", len(o.latencies), o.took, asked.Load())
	}
	if o.allGood() == nil || o.goodOrRefused() == nil {
		t.Error("failures pass for success")
	}
}

func TestLoadOnNobody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if _, err := (load{address: l.Addr().String(), connections: 1, limit: 1, request: same(get("/", ""))}).run(); err == nil {
		t.Error("no error")
	}
}

func TestFigures(t *testing.T) {
	all := []time.Duration{5, 1, 4, 2, 3}
	if got := percentile(all, 99); got != 5 {
		t.Errorf("99th percentile: %d", got)
	}
	if got := percentile(all, 50); got != 3 {
		t.Errorf("median: %d", got)
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("median of four: %v", got)
	}
	for in, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567.8: "1,234,568"} {
		if got := count(in); got != want {
			t.Errorf("%v: %q", in, got)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		row             row
		target, verdict string
	}{
		{row{Value: 0.5, Unit: "x", AtLeast: 0.4, Stretch: 0.55}, "≥ 0.40x", "met"},
		{row{Value: 0.6, Unit: "x", AtLeast: 0.4, Stretch: 0.55}, "≥ 0.40x", "met, also 0.55x"},
		{row{Value: 0.3, Unit: "x", AtLeast: 0.4, Stretch: 0.55}, "≥ 0.40x", "missed"},
		{row{Value: 201, Unit: "ms", AtMost: 200}, "≤ 200 ms", "missed"},
		{row{Value: 20, Unit: "ms", AtMost: 200}, "≤ 200 ms", "met"},
		{row{Value: 1, Zero: true}, "0", "missed"},
		{row{Value: 0, Zero: true}, "0", "met"},
		{row{Value: 7}, "", ""},
	} {
		if target, verdict := c.row.target(); target != c.target || verdict != c.verdict {
			t.Errorf("%+v: %q, %q", c.row, target, verdict)
		}
	}
}

func TestTableSaysAll(t *testing.T) {
	r := newReport(cores{pinned: true, server: 0, client: 1})
	r.Rows = append(r.Rows, row{Name: "a thing", Value: 0.5, Unit: "x", AtLeast: 0.4, Figures: "1 of 2"})
	r.Others = 0.25
	var table bytes.Buffer
	if err := r.writeTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a thing", "0.50x", "≥ 0.40x", "met", "1 of 2", "server on core 0", "25 %"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &table)
		}
	}
}

func TestCalmestRoundsCount(t *testing.T) {
	n := 0
	got, err := calmest(&bench{}, 3, func() (int, error) { n++; return n, nil })
	if err != nil || len(got) != 3 {
		t.Errorf("%v, %v", got, err)
	}
	for _, v := range got {
		if v == 1 {
			t.Error("the round that warms up counts")
		}
	}
	if n > 7 {
		t.Errorf("%d rounds for 3", n)
	}
	_, err = calmest(&bench{}, 3, func() (int, error) { return 0, fmt.Errorf("does not work") })
	if err == nil {
		t.Error("no error")
	}
}

func TestChoice(t *testing.T) {
	if all, err := choose(""); err != nil || len(all) != len(measurements) {
		t.Errorf("%v, %v", all, err)
	}
	if two, err := choose("get,size"); err != nil || len(two) != 2 {
		t.Errorf("%v, %v", two, err)
	}
	if _, err := choose("gets"); err == nil {
		t.Error("what there is not was chosen")
	}
}
