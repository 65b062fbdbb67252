package interp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"capbox/toolbox/seams"
)

func sprintf(format string, a ...any) string { return fmt.Sprintf(format, a...) }

// depthMax bounds how deep commands stand in each other, for the sake of memory: a function that calls itself behind
// `||` takes three of them, and each 8 kB of Go's own stack, or 20 kB where it is a side of a pipe, measured.
const depthMax = 6000

// breathe is how many commands may stand in each other on the engine's stack. That one takes 2,000 calls of Go functions,
// a command about five. Whoever yields goes on upon an empty one: Go resumes a goroutine from its own stack alone.
const breathe = 64

// descend notes one more command inside of those that run.
func (r *Runner) descend() {
	r.calls++
	if r.calls > depthMax {
		r.tooDeep("")
	}
	if r.calls-r.breathed >= breathe {
		runtime.Gosched()
		r.breathed = r.calls
	}
}

// deeper says whether one more call is in order; if not, it ends the line of the script.
func (r *Runner) deeper(name string) bool {
	if limit, err := decimal(r.envGet("FUNCNEST")); err == nil && limit > 0 && len(r.frames) >= limit && r.Funcs[name] != nil {
		r.complain("%s: maximum function nesting level exceeded (%d)", name, limit)
		r.discard()
		return false
	}
	if r.calls < depthMax {
		return true
	}
	r.tooDeep(name + ": ")
	return false
}

// tooDeep ends the call by its bound, as the host's own stack would; in a test it ends the line of the script.
func (r *Runner) tooDeep(what string) {
	seams.TooDeep(depthMax)
	r.complain("%smaximum nesting level exceeded (%d)", what, depthMax)
	r.discard()
}

// program runs statements as bash reads a script: a failed expansion gives up the rest of its line only.
func (r *Runner) program(ctx context.Context, stmts []*syntax.Stmt) {
	skip := uint(0)
	for _, st := range stmts {
		if skip > 0 && st.Pos().Line() <= skip {
			continue
		}
		r.stmt(ctx, st)
		if r.discarding && !r.exit.fatalExit && r.depth == 0 {
			r.discarding = false
			r.exit.exiting = false
			r.lastExit = r.exit
			skip = st.End().Line()
		}
	}
}

// parsed is a text as statements. After a syntax error it holds those of the lines before, and the message.
func parsed(text, name string) ([]*syntax.Stmt, error) {
	if expand.NestedTooDeep(text) {
		return nil, errors.New("nested too deeply")
	}
	file, err := syntax.NewParser().Parse(strings.NewReader(text), name)
	if err == nil {
		return file.Stmts, nil
	}
	var before []*syntax.Stmt
	for st, err := range syntax.NewParser().StmtsSeq(strings.NewReader(text)) {
		if err != nil {
			break
		}
		before = append(before, st)
	}
	line := uint(1)
	var fault syntax.ParseError
	if errors.As(err, &fault) {
		line = fault.Pos.Line()
	}
	for len(before) > 0 && before[len(before)-1].End().Line() >= line {
		before = before[:len(before)-1]
	}
	return before, err
}

// Parsed is parsed for whoever runs a script.
func Parsed(text, name string) (*syntax.File, error) {
	stmts, err := parsed(text, name)
	return &syntax.File{Name: name, Stmts: stmts}, err
}

// SyntaxError tells a syntax error in bash's form.
func SyntaxError(name string, err error) string {
	var fault syntax.ParseError
	if errors.As(err, &fault) {
		return fmt.Sprintf("%s: line %d: syntax error: %s", name, fault.Pos.Line(), fault.Text)
	}
	var lang syntax.LangError
	if errors.As(err, &lang) {
		return fmt.Sprintf("%s: line %d: syntax error: %s", name, lang.Pos.Line(), lang.Feature)
	}
	return name + ": syntax error: " + err.Error()
}

func syntaxError(err error) string { return strings.TrimPrefix(SyntaxError("", err), ": ") }

// eval runs its words as a script.
func (r *Runner) eval(ctx context.Context, args []string) exitStatus {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if !r.deeper("eval") {
		return r.exit
	}
	stmts, fault := parsed(strings.Join(args, " "), r.filename)
	base := r.lineBase
	r.lineBase = r.line - 1
	r.calls += 2
	r.exit = exitStatus{}
	r.stmts(ctx, stmts)
	r.calls -= 2
	r.lineBase = base
	if fault != nil && !r.exit.exiting {
		return r.failed(2, "eval: %s", syntaxError(fault))
	}
	return r.exit
}

// sourceBytesMax bounds a file that is sourced.
const sourceBytesMax = 8 << 20

// source runs a file in this shell.
func (r *Runner) source(ctx context.Context, name string, args []string) exitStatus {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		r.complain("%s: filename argument required", name)
		return r.usage(name + ": usage: " + name + " filename [arguments]")
	}
	if !r.deeper(args[0]) {
		return r.exit
	}
	path := r.sourcePath(args[0])
	file, err := r.open(ctx, path, os.O_RDONLY, 0, false)
	if err != nil {
		var why *os.PathError
		if errors.As(err, &why) {
			return r.failed(1, "%s: %v", args[0], why.Err)
		}
		return r.failed(1, "%s: %v", args[0], err)
	}
	raw, err := io.ReadAll(io.LimitReader(file, sourceBytesMax))
	file.Close()
	if err != nil {
		return r.failed(1, "%s: %s: Is a directory", name, args[0])
	}
	stmts, fault := parsed(string(raw), path)
	oldParams, oldSet, oldIn, oldName, oldBase := r.Params, r.sourceSetParams, r.inSource, r.sourced, r.lineBase
	if len(args) > 1 {
		r.Params = args[1:]
	}
	r.sourceSetParams, r.inSource = false, true
	r.frames = append(r.frames, frame{"source", args[0], r.line})
	r.sourced, r.lineBase = args[0], 0
	r.calls += 2
	r.exit = exitStatus{}
	r.program(ctx, stmts)
	r.calls -= 2
	if fault != nil && !r.exit.exiting && !r.exit.returning {
		r.exit = r.failed(2, "%s", syntaxError(fault))
	}
	r.frames = r.frames[:len(r.frames)-1]
	r.sourced, r.lineBase = oldName, oldBase
	if len(args) > 1 && !r.sourceSetParams {
		r.Params = oldParams
	}
	r.sourceSetParams, r.inSource = oldSet, oldIn
	exit := r.exit
	exit.returning = false
	return exit
}

// callFunction runs a function: its own parameters, scope, traps and options.
func (r *Runner) callFunction(ctx context.Context, name string, body *syntax.Stmt, args []string) {
	if !r.deeper(name) {
		return
	}
	oldParams, oldIn, oldEnv, oldBase, oldLoop := r.Params, r.inFunc, r.writeEnv, r.lineBase, r.inLoop
	errTrap := r.callbackErr
	if !r.opts[optErrTrace] {
		r.callbackErr = ""
	}
	returnTrap, hadReturn := r.traps["RETURN"]
	r.Params, r.inFunc, r.inLoop, r.lineBase = args, true, false, 0
	r.writeEnv = &overlayEnviron{parent: r.writeEnv, funcScope: true}
	r.frames = append(r.frames, frame{name, r.functionFile(name), r.line})
	r.stmt(ctx, body)
	if now, ok := r.traps["RETURN"]; ok && (now != returnTrap || !hadReturn || r.opts[optFuncTrace]) {
		r.runTrap(ctx, now, "RETURN")
	}
	r.restoreOptions()
	r.frames = r.frames[:len(r.frames)-1]
	if r.callbackErr == "" {
		r.callbackErr = errTrap
	}
	r.writeEnv, r.Params, r.inFunc, r.lineBase, r.inLoop = oldEnv, oldParams, oldIn, oldBase, oldLoop
	r.exit.returning = false
}

// functionFile is the file a function stands in, as far as this shell knows.
func (r *Runner) functionFile(string) string {
	if name := r.shellName(); name != "bash" && name != "sh" {
		return name
	}
	return "environment"
}

// commandText is the command that runs, as it stands in the script.
func (r *Runner) commandText() string {
	if r.current == nil {
		return ""
	}
	var out bytes.Buffer
	if syntax.NewPrinter(syntax.SingleLine(true)).Print(&out, r.current) != nil {
		return ""
	}
	return out.String()
}

// selectItems prints the menu of `select`: in columns of the terminal's width, as bash does.
func (r *Runner) selectItems(items []string) {
	for i, item := range items {
		r.errf("%d) %s\n", i+1, item)
	}
}

// readReply reads the answer to a menu.
func (r *Runner) readReply(ctx context.Context) (string, bool) {
	if r.stdin == nil {
		return "", false
	}
	line, _, err := r.take(ctx, r.stdin, reading{raw: true, delim: '\n', count: -1, timeout: -1})
	return string(line), err == nil
}

// fatalExpansion is what a failed expansion does to the shell; true if err is one of these.
func (r *Runner) fatalExpansion(err error) bool {
	var unset expand.UnsetParameterError
	var arithm *expand.ArithmError
	var expansion *expand.ExpansionError
	var subscript *expand.SubscriptError
	switch {
	case errors.As(err, &unset):
		r.complain("%v", unset)
		r.exit.code, r.exit.exiting = 1, true
	case errors.As(err, &arithm), errors.As(err, &expansion), errors.As(err, &subscript), errors.Is(err, errReadOnly):
		r.complain("%s%v", r.arithmeticIn, err)
		if r.arithmeticIn == "" || errors.Is(err, errReadOnly) {
			r.discard()
		} else {
			r.exit.code = 1
		}
	default:
		return false
	}
	return true
}
