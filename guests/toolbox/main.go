// Command toolbox is ten tools in one WebAssembly module: read, write, edit, apply_patch, glob, grep, tree, bash, fetch
// and search.
//
// One call is one instance: a request on stdin, one JSON result on stdout. A malformed request and a bug inside a
// tool are results with ok=false; nothing else is ever written to stdout, except a flood (see package shell).
//
// Built plainly, `_start` runs one call. Built as a reactor (build tag `reactor`) and pre-initialised with wizer, the
// export `capbox_call` runs one call and there is no `_start`. A host runs `capbox_call` if it exists, else `_start`.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"capbox/toolbox/abi"
	"capbox/toolbox/browse"
	"capbox/toolbox/files"
	"capbox/toolbox/shell"
)

// tools maps the request's tool name to its implementation.
var tools = map[string]func(*abi.Request) abi.Result{
	"apply_patch": files.ApplyPatch,
	"bash":        shell.Bash,
	"edit":        files.Edit,
	"fetch":       browse.Fetch,
	"glob":        files.Glob,
	"grep":        files.Grep,
	"read":        files.Read,
	"search":      browse.Search,
	"tree":        files.Tree,
	"write":       files.Write,
}

func main() {
	tune()
	call()
}

// heapBytesGoal is where collecting gets eager: well below the host's usual cap of 256 MB.
const heapBytesGoal = 128 << 20

// tune lets a short call end without collecting garbage at all: memory is thrown away with the instance.
func tune() {
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(heapBytesGoal)
}

// call answers the one request on stdin.
func call() {
	req, err := abi.Read(os.Stdin)
	if err != nil {
		respond(abi.Fail("invalid_request", "%s", err))
		return
	}
	respond(answer(req))
}

// answer runs the tool; a panic in it becomes an error the host can report.
func answer(req *abi.Request) (res abi.Result) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(os.Stderr, "panic: %v\n%s", cause, debug.Stack())
			res = abi.Fail("internal", "the tool %s failed: %v", req.Tool, cause)
		}
	}()
	tool, ok := tools[req.Tool]
	if !ok {
		return abi.Fail("unknown_tool", "no tool is named %q", req.Tool)
	}
	return tool(req)
}

func respond(res abi.Result) {
	if err := abi.Write(os.Stdout, res); err != nil {
		fmt.Fprintln(os.Stderr, "the result could not be written:", err)
		os.Exit(1)
	}
}
