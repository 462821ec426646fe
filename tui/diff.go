package tui

import "strings"

// change is a line of a difference: ' ' in both, '-' in the first alone, '+'
// in the second alone.
type change struct {
	sign byte
	line string
}

// mostDiffed bounds the work of finding a difference, in pairs of lines.
const mostDiffed = 4 << 20

// diff says how two texts differ, line by line.
func diff(first, second string) []change {
	a, b := strings.Split(first, "\n"), strings.Split(second, "\n")
	begin := 0
	for begin < len(a) && begin < len(b) && a[begin] == b[begin] {
		begin++
	}
	end := 0
	for end < len(a)-begin && end < len(b)-begin && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	var out []change
	add := func(sign byte, lines []string) {
		for _, line := range lines {
			out = append(out, change{sign, line})
		}
	}
	add(' ', a[:begin])
	middleA, middleB := a[begin:len(a)-end], b[begin:len(b)-end]
	if len(middleA)*len(middleB) > mostDiffed {
		add('-', middleA)
		add('+', middleB)
	} else {
		out = append(out, common(middleA, middleB)...)
	}
	add(' ', a[len(a)-end:])
	return out
}

// common finds the longest common subsequence of lines.
func common(a, b []string) []change {
	width := len(b) + 1
	longest := make([]int32, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				longest[i*width+j] = longest[(i+1)*width+j+1] + 1
			} else {
				longest[i*width+j] = max(longest[(i+1)*width+j], longest[i*width+j+1])
			}
		}
	}
	var out []change
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			out = append(out, change{' ', a[i]})
			i++
			j++
		case longest[(i+1)*width+j] >= longest[i*width+j+1]:
			out = append(out, change{'-', a[i]})
			i++
		default:
			out = append(out, change{'+', b[j]})
			j++
		}
	}
	for ; i < len(a); i++ {
		out = append(out, change{'-', a[i]})
	}
	for ; j < len(b); j++ {
		out = append(out, change{'+', b[j]})
	}
	return out
}

// near keeps the changes and a few lines around each.
func near(changes []change, around int) []change {
	keep := make([]bool, len(changes))
	for i, c := range changes {
		if c.sign == ' ' {
			continue
		}
		for j := max(0, i-around); j <= min(len(changes)-1, i+around); j++ {
			keep[j] = true
		}
	}
	var out []change
	for i, c := range changes {
		switch {
		case keep[i]:
			out = append(out, c)
		case i > 0 && keep[i-1]:
			out = append(out, change{' ', "⋮"})
		}
	}
	return out
}
