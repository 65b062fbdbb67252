package interp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"mvdan.cc/sh/v3/syntax"
)

// process is what a signal can be sent to: the shell of a script, or one of its background jobs.
type process struct {
	pid     int
	pending atomic.Uint32 // signals that were sent, as bits
	trapped atomic.Uint32 // signals that a job handles
	cancel  context.CancelCauseFunc
	done    chan struct{}
}

var (
	processesMu sync.Mutex
	processes   = map[int]*process{}
	lastPid     = 1000
)

// newProcess gives a process a number of its own.
func newProcess(cancel context.CancelCauseFunc) *process {
	processesMu.Lock()
	defer processesMu.Unlock()
	lastPid++
	p := &process{pid: lastPid, cancel: cancel, done: make(chan struct{})}
	processes[p.pid] = p
	return p
}

// end forgets the process.
func (p *process) end() {
	processesMu.Lock()
	defer processesMu.Unlock()
	delete(processes, p.pid)
	close(p.done)
}

func findProcess(pid int) *process {
	processesMu.Lock()
	defer processesMu.Unlock()
	return processes[pid]
}

// killed is why the context of a job ended.
type killed struct{ signal int }

func (k *killed) Error() string { return "killed by signal " + strconv.Itoa(k.signal) }

// job is a background job of one shell.
type job struct {
	bgProc
	process *process
	text    string
	number  int // that %N names; numbers of jobs that were waited for are used again
	waited  bool
}

// background starts a statement beside the shell.
func (r *Runner) background(ctx context.Context, st *syntax.Stmt) {
	r2 := r.subshell(true)
	plain := *st
	plain.Background, plain.Disown = false, false
	if r2.stdin != nil {
		r2.stdin = text{strings.NewReader("")} // bash gives it /dev/null
	}
	release := r2.shareFiles()
	ctx, cancel := context.WithCancelCause(ctx)
	r2.own = newProcess(cancel)
	r2.ectx = ctx
	r2.fillExpandConfig(ctx)
	one := &job{
		bgProc:  bgProc{done: make(chan struct{}), exit: new(exitStatus)},
		process: r2.own, text: statementText(&plain),
	}
	for _, other := range r.jobList {
		if !other.waited {
			one.number = max(one.number, other.number)
		}
	}
	one.number++
	r.jobList = append(r.jobList, one)
	go func() {
		defer func() {
			r2.finish(ctx)
			var death *killed
			if errors.As(context.Cause(ctx), &death) {
				r2.exit = exitStatus{code: uint8(128 + death.signal)}
			}
			release()
			*one.exit = exitStatus{code: r2.exit.code}
			r2.own.end()
			close(one.done)
			cancel(nil)
		}()
		defer r2.survive("")
		r2.stmt(ctx, &plain)
	}()
}

func statementText(st *syntax.Stmt) string {
	var out strings.Builder
	_ = syntax.NewPrinter(syntax.SingleLine(true)).Print(&out, st)
	return out.String()
}

func (j *job) running() bool {
	select {
	case <-j.done:
		return false
	default:
		return true
	}
}

// lookupJob reads %1, %%, %+, %- or a process number.
func (r *Runner) lookupJob(word string) *job {
	spec, ok := strings.CutPrefix(word, "%")
	if !ok {
		pid, err := strconv.Atoi(word)
		if err != nil {
			return nil
		}
		for _, one := range r.jobList {
			if one.process.pid == pid {
				return one
			}
		}
		return nil
	}
	skip := 0
	if spec == "-" {
		skip = 1
	}
	number, err := strconv.Atoi(spec)
	for _, one := range slices.Backward(r.jobList) {
		switch {
		case one.waited:
		case spec == "" || spec == "%" || spec == "+" || spec == "-":
			if skip--; skip < 0 {
				return one
			}
		case err == nil && one.number == number, err != nil && strings.HasPrefix(one.text, spec):
			return one
		}
	}
	return nil
}

// wait waits for jobs.
func (r *Runner) wait(ctx context.Context, args []string) exitStatus {
	next, variable := false, ""
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		flag := args[0]
		args = args[1:]
		switch {
		case flag == "--":
		case flag == "-n" || flag == "-nf" || flag == "-fn":
			next = true
		case flag == "-f":
		case flag == "-p" && len(args) > 0:
			variable, args = args[0], args[1:]
		default:
			r.complain("wait: %s: invalid option", flag)
			return r.usage("wait: usage: wait [-fn] [-p var] [id ...]")
		}
	}
	if next {
		return r.waitNext(ctx, args, variable)
	}
	if len(args) == 0 {
		for _, one := range r.jobList {
			r.await(ctx, one)
		}
		r.jobList = nil
		return exitStatus{}
	}
	exit := exitStatus{}
	for _, word := range args {
		one := r.lookupJob(word)
		switch {
		case one != nil:
			r.await(ctx, one)
			exit = exitStatus{code: one.exit.code}
			if variable != "" {
				r.setVarString(variable, strconv.Itoa(one.process.pid))
			}
		case strings.HasPrefix(word, "%"):
			exit = r.failed(127, "wait: %s: no such job", word)
		default:
			if _, err := decimal(word); err != nil {
				exit = r.failed(1, "wait: `%s': not a pid or valid job spec", word)
				continue
			}
			exit = r.failed(127, "wait: pid %s is not a child of this shell", word)
		}
	}
	return exit
}

func (r *Runner) await(ctx context.Context, one *job) {
	select {
	case <-one.done:
		one.waited = true
	case <-ctx.Done():
	}
}

// waitNext waits for whichever job ends first.
func (r *Runner) waitNext(ctx context.Context, words []string, variable string) exitStatus {
	var open []*job
	for _, one := range r.jobList {
		if !one.waited && (len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return r.lookupJob(w) == one })) {
			open = append(open, one)
		}
	}
	if len(open) == 0 {
		return exitStatus{code: 127}
	}
	first := make(chan *job, len(open))
	for _, one := range open {
		if !one.running() {
			first <- one
			break
		}
	}
	for _, one := range open {
		go func() {
			<-one.done
			first <- one
		}()
	}
	select {
	case one := <-first:
		one.waited = true
		if variable != "" {
			r.setVarString(variable, strconv.Itoa(one.process.pid))
		}
		return exitStatus{code: one.exit.code}
	case <-ctx.Done():
		return exitStatus{code: 1}
	}
}

// jobs lists the jobs; what has ended is listed once.
func (r *Runner) jobs(args []string) exitStatus {
	onlyPids := slices.Contains(args, "-p")
	for i, one := range r.jobList {
		if one.waited {
			continue
		}
		mark := " "
		switch i {
		case len(r.jobList) - 1:
			mark = "+"
		case len(r.jobList) - 2:
			mark = "-"
		}
		state, suffix := "Running", " &"
		if !one.running() {
			one.waited = true
			if state, suffix = "Done", ""; one.exit.code != 0 {
				state = fmt.Sprintf("Exit %d", one.exit.code)
			}
		}
		if onlyPids {
			r.outf("%d\n", one.process.pid)
		} else {
			r.outf("[%d]%s  %-23s %s%s\n", one.number, mark, state, one.text, suffix)
		}
	}
	return exitStatus{}
}
