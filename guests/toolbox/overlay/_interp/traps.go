package interp

import (
	"context"
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// trap sets, removes or prints what runs at a signal.
func (r *Runner) trap(args []string) exitStatus {
	if len(args) > 0 {
		switch args[0] {
		case "-l":
			r.listSignals()
			return exitStatus{}
		case "-p":
			return r.printTraps(args[1:])
		case "--":
			args = args[1:]
		default:
			if len(args[0]) > 1 && args[0][0] == '-' {
				r.complain("trap: %s: invalid option", args[0])
				return r.usage("trap: usage: trap [-lp] [[arg] signal_spec ...]")
			}
		}
	}
	if len(args) == 0 {
		return r.printTraps(nil)
	}
	action, names := args[0], args[1:]
	if len(args) == 1 {
		if signalName(action) == "" {
			return r.usage("trap: usage: trap [-lp] [[arg] signal_spec ...]")
		}
		action, names = "-", args
	} else if _, err := decimal(action); err == nil {
		action, names = "-", args
	}
	exit := exitStatus{}
	for _, word := range names {
		name := signalName(word)
		if name == "" {
			exit = r.failed(1, "trap: %s: invalid signal specification", word)
			continue
		}
		r.setTrap(name, action)
	}
	return exit
}

// setTrap sets the action of a signal: "-" is the default, "" ignores it.
func (r *Runner) setTrap(name, action string) {
	if name == "KILL" || name == "STOP" {
		return
	}
	r.traps = maps.Clone(r.traps)
	if r.traps == nil {
		r.traps = map[string]string{}
	}
	if r.inherited {
		r.traps, r.inherited = map[string]string{}, false
	}
	if action == "-" {
		delete(r.traps, name)
	} else {
		r.traps[name] = action
	}
	r.callbackErr, r.callbackExit = r.traps["ERR"], r.traps["EXIT"]
	if r.debugging = r.traps["DEBUG"] != ""; name == "DEBUG" {
		r.trapDepth = len(r.frames)
	}
	if r.own != nil && len(name) > 0 {
		if n := slices.Index(signals, name); n > 0 && action != "-" {
			r.own.trapped.Or(1 << n)
		}
	}
}

func (r *Runner) printTraps(words []string) exitStatus {
	exit := exitStatus{}
	var names []string
	for _, word := range words {
		name := signalName(word)
		if name == "" {
			exit = r.failed(1, "trap: %s: invalid signal specification", word)
			continue
		}
		names = append(names, name)
	}
	if len(words) == 0 {
		for _, name := range append(slices.Clone(signals), "DEBUG", "ERR", "RETURN") {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if action, ok := r.traps[name]; ok {
			r.outf("trap -- %s %s\n", expand.QuoteSingle(action), trapTitle(name))
		}
	}
	return exit
}

// subshellTraps are those a subshell starts with: what is ignored stays so, the others are only printed.
func (r *Runner) subshellTraps(r2 *Runner) {
	if len(r.traps) == 0 {
		return
	}
	r2.traps, r2.inherited = r.traps, true
	ignored := map[string]string{}
	for name, action := range r.traps {
		if action == "" {
			ignored[name] = ""
		}
	}
	if len(ignored) > 0 {
		r2.traps, r2.inherited = ignored, false
	}
	if r.opts[optErrTrace] {
		r2.callbackErr = r.callbackErr
	}
}

// finish ends a subshell: its EXIT trap runs, and its exit is not the parent's.
func (r *Runner) finish(ctx context.Context) {
	if own := r.own; own != nil && own.cancel == nil {
		r.handleSignals(ctx, own)
		defer own.end()
	}
	if action := r.callbackExit; action != "" {
		r.callbackExit = ""
		r.runTrap(ctx, action, "EXIT")
	}
	r.exit.exiting = false
	r.discarding = false
	r.closeOwned()
}

// runTrap runs the action of a trap; the status is afterwards what it was, unless the action ends the shell.
func (r *Runner) runTrap(ctx context.Context, action, name string) {
	if action == "" || r.handlingTrap {
		return
	}
	file, err := syntax.NewParser().Parse(strings.NewReader(action), name+" trap")
	if err != nil {
		r.complain("%s", syntaxError(err))
		return
	}
	exit, last := r.exit, r.lastExit
	status := r.trapStatus
	r.trapStatus = exit.code
	if name == "DEBUG" || name == "RETURN" {
		r.trapStatus = last.code
	} else {
		r.lastExit = exitStatus{code: exit.code}
	}
	r.exit = exitStatus{}
	r.handlingTrap = true
	r.stmts(ctx, file.Stmts)
	r.handlingTrap = false
	r.trapStatus = status
	if r.exit.exiting && !r.discarding {
		r.lastExit = last
		return // the action said exit
	}
	if r.exit.returning {
		exit.returning, exit.code = true, r.exit.code
	}
	r.discarding = false
	r.exit, r.lastExit = exit, last
}

// failsAlone says whether a failure of the command is one of its own: that of a compound command is of one inside.
func failsAlone(cm syntax.Command) bool {
	switch cm := cm.(type) {
	case *syntax.Block, *syntax.IfClause, *syntax.WhileClause, *syntax.ForClause, *syntax.CaseClause,
		*syntax.TimeClause:
		return false
	case *syntax.BinaryCmd:
		return cm.Op == syntax.Pipe || cm.Op == syntax.PipeAll
	}
	return true
}

// raise is a signal to the shell itself, when the statement before is done.
func (r *Runner) raise(ctx context.Context, name string) {
	action, trapped := r.traps[name]
	if r.inherited {
		trapped = false
	}
	switch {
	case trapped && action == "":
	case trapped:
		before := r.exit
		r.runTrap(ctx, action, name)
		if !r.exit.exiting {
			r.exit = before
		}
	case harmless[name]:
	default:
		r.exit.code = uint8(128 + slices.Index(signals, name))
		r.exit.exiting = true
	}
}

// handleSignals takes what other shells sent to this one.
func (r *Runner) handleSignals(ctx context.Context, p *process) {
	pending := p.pending.Swap(0)
	for n := 1; n < len(signals); n++ {
		if pending&(1<<n) != 0 {
			r.raise(ctx, signals[n])
		}
	}
}

// debug runs the DEBUG trap before a command.
func (r *Runner) debug(ctx context.Context, cm syntax.Command) {
	switch cm.(type) {
	case *syntax.CallExpr, *syntax.DeclClause, *syntax.TestClause, *syntax.ArithmCmd, *syntax.LetClause,
		*syntax.CaseClause, *syntax.ForClause:
	default:
		return
	}
	if r.handlingTrap || (len(r.frames) > r.trapDepth && !r.opts[optFuncTrace]) {
		return
	}
	r.runTrap(ctx, r.traps["DEBUG"], "DEBUG")
}
