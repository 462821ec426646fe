package tui

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// column is one column of a table.
type column[T any] struct {
	title string
	// width is in cells; 0 takes what the others leave.
	width int
	// from is the width of the table at which the column is shown.
	from  int
	right bool
	cell  func(T) string
	// state styles the cell as the state that it names.
	state bool
}

// table is a list with a row that is selected. It draws the rows that can be
// seen and no others.
type table[T any] struct {
	pager[T]
	columns       []column[T]
	selected, top int
	width, height int
}

func newTable[T any](columns ...column[T]) table[T] {
	t := table[T]{columns: columns}
	t.reset()
	return t
}

// current is the selected row.
func (t *table[T]) current() (T, bool) { return t.row(t.selected) }

// rows is how many rows there is room for, below the head.
func (t *table[T]) rows() int { return max(1, t.height-1) }

// wanted is the page to load for what is to be seen.
func (t *table[T]) wanted() (page int, missing bool) { return t.missing(t.top, t.top+t.rows()) }

func (t *table[T]) setSize(width, height int) {
	t.width, t.height = width, height
	t.move(0)
}

// move selects the row that is so many further, as far as there are any.
func (t *table[T]) move(by int) {
	t.selected = max(0, min(t.selected+by, t.count()-1))
	t.top = max(0, min(t.top, t.selected), t.selected-t.rows()+1)
	t.top = max(0, min(t.top, t.count()-t.rows()))
}

// restart goes to the first row of another list.
func (t *table[T]) restart() {
	t.reset()
	t.selected, t.top = 0, 0
}

// update moves by keys and by the mouse. opened: the selected row was clicked.
func (t *table[T]) update(msg tea.Msg, keys *keyMap) (opened bool) {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		switch {
		case key.Matches(msg, keys.Up):
			t.move(-1)
		case key.Matches(msg, keys.Down):
			t.move(1)
		case key.Matches(msg, keys.PageUp):
			t.move(-t.rows())
		case key.Matches(msg, keys.PageDown):
			t.move(t.rows())
		case key.Matches(msg, keys.First):
			t.move(-t.count())
		case key.Matches(msg, keys.Last):
			t.move(t.count())
		}
	case tea.MouseMsg:
		switch {
		case msg.Button == tea.MouseButtonWheelUp:
			t.move(-3)
		case msg.Button == tea.MouseButtonWheelDown:
			t.move(3)
		case msg.Action == tea.MouseActionPress && msg.Button == tea.MouseButtonLeft && msg.Y >= 1 && msg.Y <= t.rows():
			clicked := t.top + msg.Y - 1
			opened = clicked == t.selected && clicked < t.count()
			t.move(clicked - t.selected)
		}
	}
	return opened
}

// view draws head and rows. empty stands in place of rows where there are
// none.
func (t *table[T]) view(s *styles, empty string) string {
	columns, widths := t.layout()
	lines := make([]string, 0, t.height)
	head := make([]string, len(columns))
	for i, c := range columns {
		head[i] = place(c, c.title, widths[i])
	}
	lines = append(lines, s.Head.Render(fit("  "+strings.Join(head, "  "), t.width)))
	if t.count() == 0 {
		for _, line := range wrap(empty, t.width-4, t.rows()) {
			lines = append(lines, "  "+s.Faint.Render(line))
		}
	}
	for i := t.top; i < min(t.top+t.rows(), t.count()); i++ {
		lines = append(lines, t.line(s, i, columns, widths))
	}
	return block(lines, t.width, t.height)
}

func (t *table[T]) line(s *styles, i int, columns []column[T], widths []int) string {
	row, loaded := t.row(i)
	if !loaded {
		return s.Faint.Render("  …")
	}
	cells := make([]string, len(columns))
	for j, c := range columns {
		text := clean(c.cell(row))
		cells[j] = place(c, text, widths[j])
		if c.state && i != t.selected {
			cells[j] = s.state(text).Render(cells[j])
		}
	}
	if i == t.selected {
		return s.Selected.Render(fit("› "+strings.Join(cells, "  "), t.width))
	}
	return "  " + strings.Join(cells, "  ")
}

func place[T any](c column[T], text string, width int) string {
	if c.right {
		return right(text, width)
	}
	return fit(text, width)
}

// layout chooses the columns that there is room for, and their widths.
func (t *table[T]) layout() (columns []column[T], widths []int) {
	left, greedy := t.width-2, 0
	for _, c := range t.columns {
		if t.width < c.from {
			continue
		}
		columns, widths = append(columns, c), append(widths, c.width)
		left -= c.width
		if c.width == 0 {
			greedy++
		}
	}
	left -= 2 * (len(columns) - 1)
	for i := range widths {
		if widths[i] == 0 {
			widths[i] = max(4, left/greedy)
			left -= widths[i]
			greedy--
		}
	}
	return columns, widths
}
