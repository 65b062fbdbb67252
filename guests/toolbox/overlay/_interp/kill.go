package interp

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// kill sends a signal to this shell or to a job of the script; nothing else can be reached.
func (r *Runner) kill(ctx context.Context, args []string) exitStatus {
	signal := "TERM"
	if len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		flag := args[0]
		args = args[1:]
		switch {
		case flag == "-l" || flag == "-L":
			return r.killList(args)
		case flag == "--":
		case (flag == "-s" || flag == "-n") && len(args) > 0:
			signal = args[0]
			args = args[1:]
		default:
			signal = flag[1:]
		}
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	name := signalName(signal)
	if name == "" || pseudoSignals[name] {
		return r.failed(1, "kill: %s: invalid signal specification", signal)
	}
	if len(args) == 0 {
		return r.usage("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]")
	}
	exit := exitStatus{code: 1}
	for _, word := range args {
		if r.killOne(ctx, word, name) {
			exit.code = 0
		}
		if r.exit.exiting {
			return r.exit
		}
	}
	return exit
}

func (r *Runner) killOne(ctx context.Context, word, name string) bool {
	var target *process
	if one := r.lookupJob(word); one != nil {
		target = one.process
	} else if word == "0" || word == "-"+strconv.Itoa(r.identity.get().pid) {
		return r.killAll(ctx, name)
	} else if strings.HasPrefix(word, "%") {
		r.complain("kill: %s: no such job", word)
		return false
	} else {
		pid, err := decimal(word)
		if err != nil {
			r.complain("kill: %s: arguments must be process or job IDs", word)
			return false
		}
		if target = findProcess(pid); target == nil {
			r.complain("kill: (%s) - No such process", word)
			return false
		}
	}
	return r.signal(ctx, target, name, word)
}

// killAll sends a signal to the group: the script, its jobs and subshells, and last the shell that does it.
func (r *Runner) killAll(ctx context.Context, name string) bool {
	self := findProcess(r.ownPid())
	processesMu.Lock()
	all := slices.Collect(maps.Values(processes))
	processesMu.Unlock()
	for _, target := range all {
		if target != self {
			r.signal(ctx, target, name, "0")
		}
	}
	return r.signal(ctx, self, name, "0")
}

// signal sends a signal to a process; word is how messages name it.
func (r *Runner) signal(ctx context.Context, target *process, name, word string) bool {
	number := slices.Index(signals, name)
	switch {
	case number == 0:
		if target != nil && target.done != nil {
			select {
			case <-target.done:
				r.complain("kill: (%s) - No such process", word)
				return false
			default:
			}
		}
	case stopping[name]:
		r.complain("kill: SIG%s: not supported here", name)
		return false
	case target == r.own || r.depth == 0 && target == r.identity.process.Load():
		r.raise(ctx, name)
	case target.cancel != nil && target.trapped.Load()&(1<<number) == 0:
		select {
		case <-target.done:
			r.complain("kill: (%s) - No such process", word)
			return false
		default:
		}
		target.cancel(&killed{number})
	default:
		target.pending.Or(1 << number)
	}
	return true
}

func (r *Runner) listSignals() {
	for n := 1; n < len(signals); n++ {
		end := "\t"
		if n%5 == 0 || n == len(signals)-1 {
			end = "\n"
		}
		r.outf("%2d) SIG%s%s", n, signals[n], end)
	}
}

func (r *Runner) killList(words []string) exitStatus {
	if len(words) == 0 {
		r.listSignals()
	}
	exit := exitStatus{}
	for _, word := range words {
		if n, err := decimal(word); err == nil {
			if n > 128 {
				n -= 128
			}
			if n >= 0 && n < len(signals) {
				r.outf("%s\n", signals[n])
				continue
			}
		} else if name := signalName(word); name != "" && !pseudoSignals[name] {
			r.outf("%d\n", slices.Index(signals, name))
			continue
		}
		exit = r.failed(1, "kill: %s: invalid signal specification", word)
	}
	return exit
}

func decimal(word string) (int, error) { return strconv.Atoi(word) }
