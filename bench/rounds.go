package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"time"
)

// calm is the share of all processors that other programs may have had in a
// round that is taken for undisturbed.
const calm = 0.03

// calmest repeats a measurement until enough rounds were undisturbed by other
// programs, though at most twice as often as that, and gives the least
// disturbed. The first round warms up and does not count.
func calmest[T any](b *bench, rounds int, measure func() (T, error)) ([]T, error) {
	type round struct {
		result T
		others float64
	}
	var all []round
	undisturbed := 0
	for i := 0; i <= 2*rounds && undisturbed < rounds; i++ {
		before := b.look()
		result, err := measure()
		if err != nil {
			return nil, err
		}
		if i == 0 {
			continue
		}
		others := b.others(before)
		if others <= calm {
			undisturbed++
		}
		all = append(all, round{result, others})
	}
	slices.SortStableFunc(all, func(x, y round) int { return cmp.Compare(x.others, y.others) })
	var results []T
	for _, r := range all[:min(rounds, len(all))] {
		results = append(results, r.result)
	}
	return results, nil
}

// moment is what had been used of the processors at a time.
type moment struct {
	at           time.Time
	machine, own time.Duration
}

func (b *bench) look() moment {
	own := processTime(os.Getpid()) + childrenTime()
	for p := range b.live {
		own += processTime(p.cmd.Process.Pid)
	}
	return moment{time.Now(), machineTime(), own}
}

// others is the share of the processors that other programs have had since.
// It is zero where that is not known.
func (b *bench) others(since moment) float64 {
	now := b.look()
	others := (now.machine - since.machine) - (now.own - since.own)
	return max(0, others.Seconds()/now.at.Sub(since.at).Seconds()/float64(processors()))
}

// pair is one round of both sides, in acts per second.
type pair struct{ ours, other float64 }

// compare runs both sides in turn, so that whatever else the machine does
// hits both, and gives the median of the rounds' ratios and of each side.
func (b *bench) compare(rounds int, ours, other func() (float64, error)) (ratio float64, medians pair, err error) {
	pairs, err := calmest(b, rounds, func() (p pair, err error) {
		if p.other, err = other(); err == nil {
			p.ours, err = ours()
		}
		return p, err
	})
	return medianOf(pairs, func(p pair) float64 { return p.ours / p.other }),
		pair{medianOf(pairs, func(p pair) float64 { return p.ours }), medianOf(pairs, func(p pair) float64 { return p.other })}, err
}

func medianOf[T any](all []T, value func(T) float64) float64 {
	values := make([]float64, len(all))
	for i, v := range all {
		values[i] = value(v)
	}
	return median(values)
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

// count writes a figure as people read it.
func count(f float64) string {
	s := fmt.Sprintf("%.0f", f)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
