package tui

import "slices"

const (
	// pageSize is how many rows are loaded at once.
	pageSize = 100
	// keptPages bounds the memory of a list, however far it is scrolled: the
	// others are loaded again when they are looked at.
	keptPages = 6
	// ahead is how near to an unloaded row the screen comes before its page is
	// loaded.
	ahead = 25
)

// pager is a list that is loaded page by page as it is looked at. The server's
// pages are chained by cursors: where each one begins is remembered, what is
// in it only for the last few.
type pager[T any] struct {
	cursors []string // where each page that is known of begins
	lengths []int    // of the pages that were ever loaded
	pages   map[int][]T
	used    []int // the pages kept, the one used last at the end
	total   int64 // that the server counted; -1 where it did not
}

// reset forgets everything: the list is another one now.
func (p *pager[T]) reset() { *p = pager[T]{cursors: []string{""}, pages: map[int][]T{}, total: -1} }

// stale forgets what the rows are, not where they were.
func (p *pager[T]) stale() {
	p.pages, p.used = map[int][]T{}, nil
}

// count is how many rows are known of.
func (p *pager[T]) count() int {
	n := 0
	for _, length := range p.lengths {
		n += length
	}
	return n
}

// complete reports whether there are no more rows than are known of.
func (p *pager[T]) complete() bool {
	return len(p.lengths) > 0 && len(p.lengths) >= len(p.cursors)
}

// row gives a row, unless its page is not there now.
func (p *pager[T]) row(i int) (T, bool) {
	var none T
	if i < 0 {
		return none, false
	}
	rows := p.pages[i/pageSize]
	if i%pageSize >= len(rows) {
		return none, false
	}
	return rows[i%pageSize], true
}

// missing names a page to load so that the rows from and to, and some beyond,
// can be shown.
func (p *pager[T]) missing(from, to int) (page int, missing bool) {
	for page := max(0, from) / pageSize; page <= (to+ahead)/pageSize && page < len(p.cursors); page++ {
		if _, kept := p.pages[page]; !kept {
			return page, true
		}
		p.use(page)
	}
	return 0, false
}

func (p *pager[T]) use(page int) {
	if i := slices.Index(p.used, page); i >= 0 {
		p.used = slices.Delete(p.used, i, i+1)
	}
	p.used = append(p.used, page)
}

// put keeps a page that was loaded, and the cursor of the next one.
func (p *pager[T]) put(page int, rows []T, next string) {
	if page >= len(p.cursors) {
		return // of a list that is no more
	}
	p.pages[page] = rows
	p.use(page)
	if page == len(p.lengths) {
		p.lengths = append(p.lengths, len(rows))
	}
	p.lengths[page] = len(rows)
	switch {
	case next == "" || len(rows) < pageSize:
		// The list ends here now, whatever there was.
		p.cursors, p.lengths = p.cursors[:page+1], p.lengths[:page+1]
	case page+1 == len(p.cursors):
		p.cursors = append(p.cursors, next)
	default:
		p.cursors[page+1] = next
	}
	for len(p.used) > keptPages {
		delete(p.pages, p.used[0])
		p.used = p.used[1:]
	}
}

// all keeps a list that came in one piece.
func (p *pager[T]) all(rows []T) {
	p.reset()
	p.cursors = nil
	for page := 0; page == 0 || page*pageSize < len(rows); page++ {
		p.cursors = append(p.cursors, "")
		p.pages[page] = rows[page*pageSize : min(len(rows), (page+1)*pageSize)]
		p.lengths = append(p.lengths, len(p.pages[page]))
	}
}
