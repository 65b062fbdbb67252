package interp

import (
	"context"
	"strconv"

	"mvdan.cc/sh/v3/syntax"
)

// bashBuiltin runs the builtins that the library has in part, in other words, or not at all; ok is false for the others.
func (r *Runner) bashBuiltin(ctx context.Context, name string, args []string) (exit exitStatus, ok bool) {
	switch name {
	case "cd":
		return r.cd(ctx, args), true
	case "dirs":
		return r.dirs(args), true
	case "pushd":
		return r.pushd(ctx, args), true
	case "popd":
		return r.popd(ctx, args), true
	case "shift":
		return r.shift(args), true
	case "unset":
		return r.unset(args), true
	case "exit", "return":
		return r.leave(name, args), true
	case "break", "continue":
		return r.leaveLoop(name, args), true
	case "echo":
		return r.echo(args), true
	case "printf":
		return r.printf(args), true
	case "read":
		return r.read(ctx, args), true
	case "mapfile", "readarray":
		return r.mapfile(ctx, name, args), true
	case "set":
		return r.set(args), true
	case "shopt":
		return r.shopt(args), true
	case "getopts":
		return r.getopts(args), true
	case "caller":
		return r.caller(args), true
	case "type":
		return r.typeOf(args), true
	case "command":
		return r.command(ctx, args)
	case "builtin":
		return r.builtinOnly(ctx, args), true
	case "hash":
		return r.hash(args), true
	case "alias":
		return r.aliases(args), true
	case "unalias":
		return r.unalias(args), true
	case "test", "[":
		return r.test(ctx, name, args), true
	case "eval":
		return r.eval(ctx, args), true
	case "source", ".":
		return r.source(ctx, name, args), true
	}
	return r.processBuiltin(ctx, name, args)
}

// processBuiltin runs the builtins that are about processes, signals and what this shell has not.
func (r *Runner) processBuiltin(ctx context.Context, name string, args []string) (exit exitStatus, ok bool) {
	switch name {
	case "trap":
		return r.trap(args), true
	case "kill":
		return r.kill(ctx, args), true
	case "wait":
		return r.wait(ctx, args), true
	case "jobs":
		return r.jobs(args), true
	case "disown":
		return exitStatus{}, true
	case "fg", "bg":
		return r.failed(1, "%s: no job control", name), true
	case "umask":
		return r.umaskBuiltin(args), true
	case "ulimit":
		return r.ulimit(args), true
	case "suspend":
		return r.failed(1, "suspend: cannot suspend: no job control"), true
	case "logout":
		return r.failed(1, "logout: not login shell: use `exit'"), true
	case "history":
		return exitStatus{}, true
	case "bind", "compgen", "complete", "compopt", "enable", "fc", "newgrp":
		return r.unsupported(name), true
	}
	return exitStatus{}, false
}

// count reads the number of shift, break and the like.
func (r *Runner) count(name string, args []string) (n int, exit exitStatus, ok bool) {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	switch len(args) {
	case 0:
		return 1, exitStatus{}, true
	case 1:
	default:
		return 0, r.failed(1, "%s: too many arguments", name), false
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return 0, r.failed(1, "%s: %s: numeric argument required", name, args[0]), false
	}
	return n, exitStatus{}, true
}

func (r *Runner) shift(args []string) exitStatus {
	n, exit, ok := r.count("shift", args)
	switch {
	case !ok:
		return exit
	case n < 0:
		return r.failed(1, "shift: %d: shift count out of range", n)
	case n > len(r.Params):
		return exitStatus{code: 1}
	}
	r.Params = r.Params[n:]
	return exitStatus{}
}

// leave is exit and return.
func (r *Runner) leave(name string, args []string) exitStatus {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if name == "return" && !r.inFunc && !r.inSource {
		return r.failed(2, "return: can only `return' from a function or sourced script")
	}
	exit := r.lastExit
	exit.err = nil
	switch {
	case len(args) > 0:
		n, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil {
			r.complain("%s: %s: numeric argument required", name, args[0])
			n = 2
		} else if len(args) > 1 {
			exit = r.failed(1, "%s: too many arguments", name)
			if name == "exit" {
				r.discarding = true
				exit.exiting = true
			}
			return exit
		}
		exit = exitStatus{code: uint8(n)}
	case r.handlingTrap:
		exit.code = r.trapStatus
	}
	if name == "exit" {
		exit.exiting = true
	} else {
		exit.returning = true
	}
	return exit
}

// leaveLoop is break and continue.
func (r *Runner) leaveLoop(name string, args []string) exitStatus {
	if !r.inLoop {
		r.complain("%s: only meaningful in a `for', `while', or `until' loop", name)
		return exitStatus{}
	}
	if len(args) > 0 {
		if n, err := strconv.Atoi(args[0]); err != nil {
			exit := r.failed(128, "%s: %s: numeric argument required", name, args[0])
			exit.exiting = true
			return exit
		} else if n < 1 {
			r.breakEnclosing = 1 << 30
			return r.failed(1, "%s: %d: loop count out of range", name, n)
		}
	}
	n, exit, ok := r.count(name, args)
	if !ok {
		return exit
	}
	if name == "break" {
		r.breakEnclosing = n
	} else {
		r.contnEnclosing = n
	}
	return exitStatus{}
}

func (r *Runner) unset(args []string) exitStatus {
	onlyVars, onlyFuncs, onlyRefs := false, false, false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		flags := args[0][1:]
		args = args[1:]
		if flags == "-" {
			break
		}
		for _, flag := range flags {
			switch flag {
			case 'v':
				onlyVars = true
			case 'f':
				onlyFuncs = true
			case 'n':
				onlyVars, onlyRefs = true, true
			default:
				r.complain("unset: -%c: invalid option", flag)
				r.errf("unset: usage: unset [-f] [-v] [-n] [name ...]\n")
				return exitStatus{code: 2}
			}
		}
	}
	before := r.exit
	r.exit = exitStatus{}
	for _, arg := range args {
		r.unsetOne(arg, onlyVars, onlyFuncs, onlyRefs)
	}
	exit := r.exit
	r.exit = before
	return exit
}

func (r *Runner) unsetOne(arg string, onlyVars, onlyFuncs, onlyRefs bool) {
	if name, sub, ok := cutElemSubscript(arg); ok && !onlyFuncs {
		if r.lookupVar(name).ReadOnly {
			r.exit = r.failed(1, "unset: %s: cannot unset: readonly variable", name)
			return
		}
		r.unsetElem(name, sub)
		return
	}
	if !onlyFuncs && !syntax.ValidName(arg) {
		if r.Funcs[arg] != nil && !onlyVars {
			delete(r.Funcs, arg)
			return
		}
		if onlyVars {
			r.exit = r.failed(1, "unset: `%s': not a valid identifier", arg)
		}
		return
	}
	vr := r.lookupVar(arg)
	if !onlyFuncs && vr.Declared() {
		if name, _ := vr.Resolve(r.writeEnv); name != "" && !onlyRefs {
			arg, vr = name, r.lookupVar(name)
		}
		if vr.ReadOnly {
			r.exit = r.failed(1, "unset: %s: cannot unset: readonly variable", arg)
			return
		}
		r.delVar(arg)
		return
	}
	if !onlyVars {
		delete(r.Funcs, arg)
	}
}
