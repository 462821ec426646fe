package tui

import (
	"math/rand/v2"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
)

// Whatever is pressed, in whichever order and terminal: no panic, no view that
// does not fit, and nothing destroyed but by typing its name or saying yes.
func TestRandomKeys(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 6
	}
	names := []string{"enter", "esc", "tab", "shift+tab", "up", "down", "left", "right", "pgup", "pgdown", "home", "end", " "}
	letters := "qjkgGnfscRoSAUDewWyYitTXD/:?m123456-+=rO" + "xż世ש\x00"
	for seed := range rounds {
		random := rand.New(rand.NewPCG(uint64(seed), 6))
		f := newFake()
		d := operatorAt(t, f, 60+random.IntN(60), 16+random.IntN(30))
		for range 250 {
			switch n := random.IntN(100); {
			case n < 40:
				runes := []rune(letters)
				k := string(runes[random.IntN(len(runes))])
				if k == "e" { // no editor starts here
					continue
				}
				d.press(k)
			case n < 85:
				d.press(names[random.IntN(len(names))])
			case n < 90:
				d.update(tea.WindowSizeMsg{Width: 30 + random.IntN(120), Height: 5 + random.IntN(50)})
			case n < 95:
				d.update(tea.MouseMsg{X: random.IntN(150), Y: random.IntN(50), Button: tea.MouseButton(1 + random.IntN(5)),
					Action: tea.MouseAction(random.IntN(3))})
			default:
				d.update(tea.KeyMsg{Type: tea.KeyRunes, Paste: true, Runes: []rune(strings.Repeat("pasted\x1b ", random.IntN(300)))})
			}
			for len(d.msgs) > 0 {
				d.update(<-d.msgs)
			}
			d.quit = false
		}
		if f.called("delete "+f.orgs[0].ID) > 0 {
			t.Errorf("seed %d: an organization was deleted without its name", seed)
		}
	}
}
