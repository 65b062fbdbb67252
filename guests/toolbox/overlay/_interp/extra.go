package interp

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"
)

// extra is what a shell keeps here besides the library's Runner.
type extra struct {
	unwritten error // why the output of a builtin could not be written

	line, lineBase int            // of the statement that runs; of the text it stands in
	current        syntax.Command // for BASH_COMMAND
	lastArg        string         // $_
	arithmeticIn   string         // what an error of arithmetic is told as, such as "((: "
	discarding     bool           // the rest of the line is given up

	fds     map[int]any   // descriptors above 2; copied before it changes
	owned   map[int]*held // files that `exec` opened
	lasting bool          // the redirection at hand is one of {name}>

	traps      map[string]string // by signal; "" ignores it
	inherited  bool              // traps are the parent's, only to be printed
	debugging  bool
	trapDepth  int // how many functions were running when DEBUG was trapped
	trapStatus uint8

	identity   *identity // the script's process
	own        *process  // the background job's, or that of a subshell whose number somebody asked for
	jobList    []*job
	lastJob    int
	pipeStatus []string

	frames       []frame
	calls        int // how deep commands stand in each other, functions and substitutions included
	breathed     int // what calls was when the engine's stack was empty
	depth        int // of subshells
	traceDepth   int // of substitutions, for `set -x`
	savedOptions map[int]*runnerOpts
	scriptFile   bool
	sourced      string // the file that `source` runs

	started     time.Time
	secondsBase int
	unspecial   map[string]bool
}

// identity is the process that $$ names, made when somebody asks.
type identity struct {
	mu      sync.Mutex
	process atomic.Pointer[process]
}

func (i *identity) get() *process {
	i.mu.Lock()
	defer i.mu.Unlock()
	if p := i.process.Load(); p != nil {
		return p
	}
	p := newProcess(nil)
	i.process.Store(p)
	return p
}

// fresh is the extra of a shell that starts.
func fresh(scriptFile bool) extra {
	return extra{scriptFile: scriptFile, identity: &identity{}, started: time.Now(), line: 1, lastArg: "bash"}
}

// ScriptFile says that what the shell runs is a file, so that BASH_SOURCE and FUNCNAME name it.
func (r *Runner) ScriptFile(yes bool) { r.scriptFile = yes }

// within makes a shell that another one runs count the calls of both.
func (r *Runner) within(ctx context.Context) {
	if hc, ok := ctx.Value(handlerCtxKey{}).(HandlerContext); ok && hc.runner != nil && hc.runner != r {
		r.calls = max(r.calls, hc.runner.calls+10) // a shell in a shell takes more of the stack than a function does
		r.breathed = hc.runner.breathed
	}
}

// subshell is what a subshell begins with.
func (e *extra) subshell() extra {
	return extra{
		line: e.line, lineBase: e.lineBase, current: e.current, lastArg: e.lastArg, fds: e.fds,
		identity: e.identity, lastJob: e.lastPid(), pipeStatus: e.pipeStatus,
		frames: e.frames[:len(e.frames):len(e.frames)], calls: e.calls + 3, breathed: e.breathed, depth: e.depth + 1, traceDepth: e.traceDepth,
		scriptFile: e.scriptFile, sourced: e.sourced, started: e.started, secondsBase: e.secondsBase, unspecial: e.unspecial,
	}
}

// lastPid is $!.
func (e *extra) lastPid() int {
	if n := len(e.jobList); n > 0 {
		e.lastJob = e.jobList[n-1].process.pid
	}
	return e.lastJob
}

// enter notes where a statement stands, and takes signals that came.
func (r *Runner) begin(ctx context.Context, st *syntax.Stmt) {
	if !r.handlingTrap {
		r.line = r.lineBase + int(st.Position.Line())
	}
	p := r.own
	if p == nil && r.depth == 0 {
		p = r.identity.process.Load()
	}
	if p != nil && p.pending.Load() != 0 {
		r.handleSignals(ctx, p)
	}
}

// left notes that a statement is done.
func (r *Runner) left(st *syntax.Stmt) {
	if pipe, ok := st.Cmd.(*syntax.BinaryCmd); !ok || pipe.Op != syntax.Pipe && pipe.Op != syntax.PipeAll {
		r.pipeStatus = nil
	}
}

// substitution runs the statements of $(...).
func (r *Runner) substitution(ctx context.Context, stmts []*syntax.Stmt) {
	if !r.opts[optInheritErrExit] {
		r.opts[optErrExit] = false
	}
	r.traceDepth++
	r.exit = exitStatus{}
	if r.deeper("command substitution") {
		r.stmts(ctx, stmts)
	}
	r.finish(ctx)
}

// noCase is the mode of patterns with `shopt -s nocasematch`.
func (r *Runner) noCase() pattern.Mode {
	if r.opts[optNoCaseMatch] {
		return pattern.NoGlobCase
	}
	return 0
}

// arithmetic is the value of an expression of (( )), let or for (( )): an error is a failed command.
func (r *Runner) arithmetic(in string, expr syntax.ArithmExpr) int {
	r.arithmeticIn = in
	n := r.arithm(expr)
	r.arithmeticIn = ""
	return n
}

// shellEnd runs the EXIT trap of a shell and closes what it opened.
func (r *Runner) shellEnd(ctx context.Context) {
	if p := r.identity.process.Load(); p != nil && r.depth == 0 {
		r.handleSignals(ctx, p) // of the last command: (kill $$)
	}
	action := r.callbackExit
	r.callbackExit = ""
	r.runTrap(ctx, action, "EXIT")
	if p := r.identity.process.Load(); p != nil && r.depth == 0 {
		r.handleSignals(ctx, p) // of the trap: (kill 0)
	}
	r.closeOwned()
}

// assignElement is name[index]=value and name[index]+=value.
func (r *Runner) assignElement(prev expand.Variable, as *syntax.Assign) {
	name := as.Name.Value
	text := r.literal(as.Value)
	if r.exit.exiting {
		return
	}
	_, target := prev.Resolve(r.writeEnv)
	if target.Kind == expand.Unknown {
		target = prev
	}
	if as.Append {
		old := expand.Element(r.ecfg, name, as.Index)
		if target.Integer {
			text = number(r.evaluate(old) + r.evaluate(text)).Str
		} else {
			text = old + text
		}
	} else if target.Integer {
		text = number(r.evaluate(text)).Str
	}
	err := expand.AssignIndex(r.ecfg, name, as.Index, text)
	var subscript *expand.SubscriptError
	switch {
	case err == nil:
	case errors.As(err, &subscript):
		r.complain("%s%s: bad array subscript", name, subscript.Subscript)
		r.discard()
	default:
		if !r.fatalExpansion(err) {
			r.complain("%s", strings.TrimPrefix(err.Error(), "bash: "))
			r.exit.code = 1
		}
	}
}

// letValue is the value of one word of `let`; a quoted word is an expression.
func (r *Runner) letValue(expr syntax.ArithmExpr) int {
	if word, ok := expr.(*syntax.Word); ok && word.Lit() == "" {
		r.arithmeticIn = "let: "
		n := r.evaluate(r.literal(word))
		r.arithmeticIn = ""
		return n
	}
	return r.arithmetic("let: ", expr)
}

// commandName names what the interpreter does not know.
func commandName(cm syntax.Command) string {
	if _, ok := cm.(*syntax.CoprocClause); ok {
		return "coproc"
	}
	return "this syntax"
}
