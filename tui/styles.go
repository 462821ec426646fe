package tui

import (
	"io"

	"github.com/charmbracelet/huh"
	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// styles is how things look. What a colour says is always said by a word or a
// sign too, so that nothing is lost without colours.
type styles struct {
	renderer *lipgloss.Renderer

	Brand, Path, Place, PlaceNow  lipgloss.Style
	Strong, Faint, Head, Selected lipgloss.Style
	Good, Warn, Bad, Accent       lipgloss.Style
	Key, Does                     lipgloss.Style
	JSONKey, JSONString, JSONRest lipgloss.Style
	Form                          *huh.Theme
}

// newStyles makes the theme for a dark or a light terminal with the colours
// that it has; Ascii has none.
func newStyles(dark bool, profile termenv.Profile) *styles {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetHasDarkBackground(dark)
	r.SetColorProfile(profile)
	style := r.NewStyle
	colour := func(light, dark string) lipgloss.AdaptiveColor {
		return lipgloss.AdaptiveColor{Light: light, Dark: dark}
	}
	accent, faint := colour("25", "81"), colour("241", "245")
	good, warn, bad := colour("28", "78"), colour("130", "215"), colour("160", "203")
	s := &styles{
		renderer: r,
		Brand:    style().Bold(true).Foreground(accent),
		Path:     style().Bold(true),
		Place:    style().Foreground(faint),
		PlaceNow: style().Bold(true).Foreground(accent).Underline(true),
		Strong:   style().Bold(true),
		Faint:    style().Foreground(faint),
		Head:     style().Foreground(faint).Bold(true),
		Selected: style().Bold(true).Foreground(accent).Background(colour("254", "236")),
		Good:     style().Foreground(good), Warn: style().Foreground(warn), Bad: style().Foreground(bad).Bold(true),
		Accent: style().Foreground(accent),
		Key:    style().Foreground(accent).Bold(true), Does: style().Foreground(faint),
		JSONKey: style().Foreground(accent), JSONString: style().Foreground(good), JSONRest: style(),
	}
	if profile == termenv.Ascii {
		// Bold alone does not mark a row on every terminal; reversing does, and
		// is no colour.
		s.Selected = style().Reverse(true)
		r.SetColorProfile(termenv.ANSI)
		for _, p := range []*lipgloss.Style{&s.Brand, &s.Place, &s.PlaceNow, &s.Faint, &s.Head, &s.Good, &s.Warn, &s.Bad,
			&s.Accent, &s.Key, &s.Does, &s.JSONKey, &s.JSONString} {
			*p = p.UnsetForeground().UnsetBackground()
		}
	}
	s.Form = s.formTheme()
	return s
}

func (s *styles) formTheme() *huh.Theme {
	t := huh.ThemeBase()
	style := s.renderer.NewStyle
	t.FieldSeparator = style().SetString("\n")
	t.Focused.Base = style().PaddingLeft(1).BorderStyle(lipgloss.ThickBorder()).BorderLeft(true).
		BorderForeground(s.Accent.GetForeground())
	t.Focused.Title, t.Focused.Description = s.Strong, s.Faint
	t.Focused.TextInput.Prompt = s.Accent
	t.Focused.TextInput.Placeholder = s.Faint
	t.Focused.TextInput.Text = style()
	t.Focused.TextInput.Cursor = style()
	t.Focused.SelectSelector = s.Accent.SetString("› ")
	t.Focused.NextIndicator = s.Accent.MarginLeft(1).SetString("→")
	t.Focused.PrevIndicator = s.Accent.MarginRight(1).SetString("←")
	t.Focused.Option = style()
	t.Focused.FocusedButton = s.Selected.Padding(0, 2).MarginRight(1).SetString("")
	t.Focused.BlurredButton = s.Faint.Padding(0, 2).MarginRight(1)
	t.Blurred = t.Focused
	t.Blurred.Base = style().PaddingLeft(1).BorderStyle(lipgloss.HiddenBorder()).BorderLeft(true)
	t.Blurred.Title = s.Faint
	t.Blurred.NextIndicator, t.Blurred.PrevIndicator = style(), style()
	return t
}

// state is the style of a word for a state.
func (s *styles) state(word string) lipgloss.Style {
	switch word {
	case "active", "ok", "completed", "ready":
		return s.Good
	case "suspended", "running", "cancelled", "expired":
		return s.Warn
	case "deleted", "failing", "failed", "revoked":
		return s.Bad
	}
	return s.Faint
}
