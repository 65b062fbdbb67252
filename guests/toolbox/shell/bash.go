// Package shell is the bash tool: mvdan.cc/sh interprets the script, every command is a Go function of package
// commands, and nothing is ever executed as a subprocess.
//
// It guarantees a result within the request's output bound (or a flood, see Capture). It does not guard files: the
// host does, and a refusal arrives as an error of a system call.
package shell

import (
	"capbox/toolbox/abi"
)

// arguments of one bash call.
type arguments struct {
	Script *string `json:"script"`
	Stdin  string  `json:"stdin"`
}

// Outcome is the `data` of a bash result. The byte counts are what the script wrote, not what was kept.
type Outcome struct {
	ExitCode    int   `json:"exit_code"`
	StdoutBytes int64 `json:"stdout_bytes"`
	StderrBytes int64 `json:"stderr_bytes"`
	Truncated   bool  `json:"truncated,omitempty"`
}

// Bash runs one script to its end. A script that ends is ok whatever its exit code.
func Bash(req *abi.Request) abi.Result {
	var args arguments
	if res, ok := abi.Arguments(req, &args); !ok {
		return res
	}
	if args.Script == nil {
		return abi.Fail("invalid_arguments", "bash: script is missing")
	}
	return run(req, *args.Script, args.Stdin)
}
