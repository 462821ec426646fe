//go:build !unix

package tui

import tea "github.com/charmbracelet/bubbletea"

// stopper does nothing: a program cannot be stopped for a while here.
type stopper struct{}

func newStopper() *stopper { return &stopper{} }

func (*stopper) filter(_ tea.Model, msg tea.Msg) tea.Msg { return msg }
func (*stopper) begin(*tea.Program)                      {}
func (*stopper) end()                                    {}
