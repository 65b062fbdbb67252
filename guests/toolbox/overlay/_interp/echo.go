package interp

import (
	"strings"

	"mvdan.cc/sh/v3/expand"
)

// echo prints its words; options are letters of n, e and E only.
func (r *Runner) echo(args []string) exitStatus {
	newline, escapes := true, false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.Trim(args[0][1:], "neE") == "" {
		for _, flag := range args[0][1:] {
			switch flag {
			case 'n':
				newline = false
			case 'e':
				escapes = true
			case 'E':
				escapes = false
			}
		}
		args = args[1:]
	}
	text := strings.Join(args, " ")
	if escapes {
		var stop bool
		if text, stop = expand.Escapes(text, expand.EchoEscapes); stop {
			newline = false
		}
	}
	if newline {
		text += "\n"
	}
	r.out(text)
	return exitStatus{}
}
