package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// load is what a round sends: on every connection one request after another,
// each as soon as the one before is answered.
type load struct {
	address     string
	connections int
	// request appends the next request to b. It may be called from several
	// goroutines.
	request func(b []byte) []byte
	// duration is how long requests are begun; what is under way then is waited
	// for. Zero with a limit: until the limit.
	duration time.Duration
	// limit is how many requests are sent in all; zero: as many as there is time for.
	limit int
}

// patience is how long an answer is waited for once no more requests are begun.
const patience = 30 * time.Second

// outcome is what came back.
type outcome struct {
	statuses map[int]int
	// latencies of all answers, in the order in which they came.
	latencies []time.Duration
	// unexcused are refusals (4xx, 5xx) without Retry-After.
	unexcused int
	took      time.Duration
}

func newOutcome() *outcome { return &outcome{statuses: make(map[int]int)} }

// good counts the answers of success.
func (o *outcome) good() int {
	n := 0
	for status, count := range o.statuses {
		if status < 400 {
			n += count
		}
	}
	return n
}

// rate is good answers per second.
func (o *outcome) rate() float64 { return float64(o.good()) / o.took.Seconds() }

// percentile gives the latency that p of 100 answers do not exceed.
func (o *outcome) percentile(p float64) time.Duration { return percentile(o.latencies, p) }

func percentile(all []time.Duration, p float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	return sorted[min(len(sorted)-1, int(float64(len(sorted))*p/100))]
}

// allGood is an error unless every answer was a success.
func (o *outcome) allGood() error {
	for status, count := range o.statuses {
		if status >= 400 {
			return fmt.Errorf("%d of %d requests were answered %d", count, len(o.latencies), status)
		}
	}
	if len(o.latencies) == 0 {
		return errors.New("no request was answered")
	}
	return nil
}

// goodOrRefused is an error unless every answer was a success or said when to
// try again.
func (o *outcome) goodOrRefused() error {
	if o.unexcused > 0 || o.good() == 0 {
		return fmt.Errorf("%d requests: %d successes, %d failures without Retry-After", len(o.latencies), o.good(), o.unexcused)
	}
	return nil
}

// record counts one answer.
func (o *outcome) record(a answer, latency time.Duration) {
	o.statuses[a.status]++
	o.latencies = append(o.latencies, latency)
	if a.status >= 400 && !a.retryAfter {
		o.unexcused++
	}
}

// add takes in another outcome, as of the time after this one.
func (o *outcome) add(other *outcome) {
	for status, count := range other.statuses {
		o.statuses[status] += count
	}
	o.latencies = append(o.latencies, other.latencies...)
	o.unexcused += other.unexcused
	o.took += other.took
}

// answer is what a measurement looks at in an answer.
type answer struct {
	length     int // of head and body
	status     int
	retryAfter bool
}

var (
	headEnd       = []byte("\r\n\r\n")
	contentLength = []byte("\r\nContent-Length: ")
	retryAfter    = []byte("\r\nRetry-After: ")
)

// parseAnswer reads the first answer in b, as the servers measured here write
// theirs; whole is false where more has to come.
func parseAnswer(b []byte) (a answer, whole bool, err error) {
	end := bytes.Index(b, headEnd)
	if end < 0 {
		return a, false, nil
	}
	head := b[:end+2]
	at := bytes.Index(head, contentLength)
	if len(head) < 12 || at < 0 {
		return a, false, fmt.Errorf("an answer without status or Content-Length: %.200q", head)
	}
	value := head[at+len(contentLength):]
	value = value[:bytes.IndexByte(value, '\r')]
	body, err := strconv.Atoi(string(value))
	if err == nil {
		a.status, err = strconv.Atoi(string(head[9:12]))
	}
	if err != nil {
		return a, false, fmt.Errorf("an answer that cannot be read: %w", err)
	}
	a.length = end + len(headEnd) + body
	a.retryAfter = a.status >= 400 && bytes.Contains(head, retryAfter)
	return a, len(b) >= a.length, nil
}

// get makes the request for a path, with a token unless that is empty.
func get(path, token string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: bench\r\n%s\r\n", path, authorization(token))
}

// appendPost appends the request that sends JSON.
func appendPost(b []byte, path, token string, body []byte) []byte {
	b = fmt.Appendf(b, "POST %s HTTP/1.1\r\nHost: bench\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		path, authorization(token), len(body))
	return append(b, body...)
}

func authorization(token string) string {
	if token == "" {
		return ""
	}
	return "Authorization: Bearer " + token + "\r\n"
}

// same is the request function of a load that sends one request all the time.
func same(request []byte) func([]byte) []byte {
	return func(b []byte) []byte { return append(b, request...) }
}
