package shell

import (
	"context"

	"mvdan.cc/sh/v3/interp"
)

// adjust rewrites calls of builtins; it sees every simple command. What bash lacks here is in overlay/_interp.
func adjust(_ context.Context, args []string) ([]string, error) {
	switch {
	case len(args) > 3 && args[0] == "exec" && args[1] == "-a":
		return append([]string{"exec"}, args[3:]...), nil // a command is a function: it has no name of its own
	case args[0] == "help" && (len(args) == 1 || !interp.IsBuiltin(args[len(args)-1])):
		// The interpreter's help knows its builtins alone; the command knows everything else.
		return append([]string{"/usr/bin/help"}, args[1:]...), nil
	}
	return args, nil
}
