// Package tmuxtest runs programs in a real terminal, of tmux, for tests that
// press keys and look at the screen. Such a test is skipped where there is no
// tmux, and fails there where CI is "true"; a short run skips it too.
package tmuxtest
