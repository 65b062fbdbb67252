package interp

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/expand"
)

// special is a variable whose value is made when it is read.
func (r *Runner) special(name string) (expand.Variable, bool) {
	switch name {
	case "$":
		return number(r.identity.get().pid), true
	case "!":
		if n := len(r.jobList); n > 0 {
			return number(r.jobList[n-1].process.pid), true
		}
		if r.lastJob > 0 {
			return number(r.lastJob), true
		}
		return expand.Variable{}, true
	case "-":
		return str(r.optionLetters()), true
	case "0":
		return str(r.scriptName()), true
	case "_":
		return str(r.lastArg), true
	case "LINENO":
		return number(r.line), true
	case "SECONDS":
		return number(int(time.Since(r.started)/time.Second) + r.secondsBase), !r.unspecial["SECONDS"]
	case "EPOCHSECONDS":
		return str(strconv.FormatInt(time.Now().Unix(), 10)), !r.unspecial[name]
	case "EPOCHREALTIME":
		now := time.Now()
		return str(fmt.Sprintf("%d.%06d", now.Unix(), now.Nanosecond()/1000)), !r.unspecial[name]
	case "BASHPID":
		return number(r.ownPid()), true
	case "BASH_SUBSHELL":
		return number(r.depth), true
	case "PIPESTATUS":
		codes := r.pipeStatus
		if codes == nil {
			codes = []string{strconv.Itoa(int(r.lastExit.code))}
		}
		return expand.Variable{Set: true, Kind: expand.Indexed, List: codes}, true
	case "FUNCNAME":
		return r.stack(func(f frame) string { return f.name }), len(r.frames) > 0
	case "BASH_SOURCE":
		return r.stack(func(f frame) string { return f.source }), len(r.frames) > 0 || r.scriptFile
	case "BASH_LINENO":
		return r.stack(func(f frame) string { return strconv.Itoa(f.line) }), true
	case "BASH_COMMAND":
		return str(r.commandText()), true
	case "SHELLOPTS", "BASHOPTS":
		return str(r.optionList(name == "BASHOPTS")), true
	case "DIRSTACK":
		return expand.Variable{Set: true, Kind: expand.Indexed, List: r.directories()}, true
	}
	if name[0] < '1' || name[0] > '9' {
		return expand.Variable{}, false
	}
	if n, err := strconv.Atoi(name); err == nil {
		if n > len(r.Params) {
			return expand.Variable{}, true
		}
		return str(r.Params[n-1]), true
	}
	return expand.Variable{}, false
}

func str(text string) expand.Variable {
	return expand.Variable{Set: true, Kind: expand.String, Str: text}
}

func number(n int) expand.Variable { return str(strconv.Itoa(n)) }

// assignSpecial takes an assignment to a variable that is made when it is read.
func (r *Runner) assignSpecial(name, text string) {
	if name == "SECONDS" {
		n, _ := strconv.Atoi(text)
		r.started, r.secondsBase = time.Now(), n
	}
}

func (r *Runner) scriptName() string {
	if r.filename == "" {
		return "bash"
	}
	return r.filename
}

// ownPid is the number of the process that a subshell would be.
func (r *Runner) ownPid() int {
	if r.depth == 0 {
		return r.identity.get().pid
	}
	if r.own == nil {
		r.own = newProcess(nil)
	}
	return r.own.pid
}

// frame is one call of a function or one sourced file.
type frame struct {
	name   string
	source string // the file that is run inside
	line   int    // where it was called
}

// stack lists something of each frame, the innermost first; the script itself is the last.
func (r *Runner) stack(what func(frame) string) expand.Variable {
	var list []string
	for _, one := range slices.Backward(r.frames) {
		list = append(list, what(one))
	}
	if r.scriptFile {
		list = append(list, what(frame{"main", r.filename, 0}))
	}
	return expand.Variable{Set: len(list) > 0, Kind: expand.Indexed, List: list}
}

// caller prints where the function that runs was called.
func (r *Runner) caller(args []string) exitStatus {
	depth := 0
	if len(args) > 0 {
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 0 {
			return r.failed(2, "caller: %s: invalid number", args[0])
		}
		depth = n
	}
	at := len(r.frames) - 1 - depth
	if at < 0 {
		return exitStatus{code: 1}
	}
	source, name := "NULL", "main"
	if r.scriptFile {
		source = r.filename
	}
	if at > 0 {
		source, name = r.frames[at-1].source, r.frames[at-1].name
	}
	if len(args) == 0 {
		r.outf("%d %s\n", r.frames[at].line, source)
	} else if at == 0 && !r.scriptFile {
		return exitStatus{code: 1}
	} else {
		r.outf("%d %s %s\n", r.frames[at].line, name, source)
	}
	return exitStatus{}
}

// umaskBuiltin keeps a mask for scripts that ask; the host decides on the modes of new files.
func (r *Runner) umaskBuiltin(args []string) exitStatus {
	symbolic := len(args) > 0 && args[0] == "-S"
	if symbolic {
		args = args[1:]
	}
	if len(args) == 0 {
		if symbolic {
			r.out("u=rwx,g=rx,o=rx\n")
		} else {
			r.out("0022\n")
		}
		return exitStatus{}
	}
	if args[0] == "022" || args[0] == "0022" || args[0] == "22" || args[0] == "u=rwx,g=rx,o=rx" {
		return exitStatus{}
	}
	r.complain("umask: %s: not supported here: new files have the modes that the host gives them", args[0])
	return exitStatus{code: 2}
}

// ulimit reports that this shell sets no limits; those of the run are the host's and cannot be changed from inside.
func (r *Runner) ulimit(args []string) exitStatus {
	words := 0
	for _, word := range args {
		if !strings.HasPrefix(word, "-") {
			words++
		}
	}
	if words > 0 {
		return r.failed(2, "ulimit: not supported here: limits are those of the run")
	}
	if slices.Contains(args, "-a") {
		return r.failed(2, "ulimit: -a: not supported here")
	}
	r.out("unlimited\n")
	return exitStatus{}
}

// sourcePath finds a file for `source`: in $PATH if the name has no slash, then here.
func (r *Runner) sourcePath(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	if path, err := scriptFromPathDir(r.Dir, r.writeEnv, name); err == nil {
		return path
	}
	if _, err := os.Stat(filepath.Join(r.Dir, name)); err == nil {
		return name
	}
	return name
}
