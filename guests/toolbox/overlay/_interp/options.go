package interp

import (
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// fixedOptions are options of `set` that are on or off here and cannot be changed, by name: letter and state.
var fixedOptions = map[string]struct {
	letter byte
	on     bool
}{
	"braceexpand": {'B', true}, "emacs": {0, false}, "hashall": {'h', true}, "histexpand": {'H', false},
	"history": {0, false}, "ignoreeof": {0, false}, "interactive-comments": {0, true}, "keyword": {'k', false},
	"monitor": {'m', false}, "nolog": {0, false}, "notify": {'b', false}, "onecmd": {'t', false},
	"physical": {'P', false}, "posix": {0, false}, "privileged": {'p', false}, "verbose": {'v', false}, "vi": {0, false},
}

// optionNames lists the options of `set` in the order of `set -o`.
func optionNames() []string {
	names := slices.Collect(maps.Keys(fixedOptions))
	for _, opt := range &posixOptsTable {
		names = append(names, opt.name)
	}
	slices.Sort(names)
	return names
}

func (r *Runner) optionState(name string) (on, ok bool) {
	if opt := r.posixOptByName(name); opt != nil {
		return *opt, true
	}
	fixed, ok := fixedOptions[name]
	return fixed.on, ok
}

// setOption changes an option of `set` by its name.
func (r *Runner) setOption(name string, on bool) exitStatus {
	if opt := r.posixOptByName(name); opt != nil {
		*opt = on
		return exitStatus{}
	}
	fixed, ok := fixedOptions[name]
	switch {
	case !ok:
		return r.failed(2, "set: %s: invalid option name", name)
	case fixed.on != on:
		return r.failed(2, "set: -o %s: not supported here", name)
	}
	return exitStatus{}
}

// set changes options and positional parameters, or lists the variables.
func (r *Runner) set(args []string) exitStatus {
	if len(args) == 0 {
		(&declaration{r: r, name: "set"}).list()
		for _, name := range slices.Sorted(maps.Keys(r.Funcs)) {
			r.out(functionSource(name, r.Funcs[name]))
		}
		return exitStatus{}
	}
	defer r.updateExpandOpts()
	for len(args) > 0 && len(args[0]) > 0 && (args[0][0] == '-' || args[0][0] == '+') {
		word := args[0]
		args = args[1:]
		switch word {
		case "--":
			r.setParams(args)
			return exitStatus{}
		case "-", "+":
			if word == "-" {
				r.opts[optXTrace] = false
			}
			if len(args) > 0 {
				r.setParams(args)
			}
			return exitStatus{}
		}
		for _, letter := range word[1:] {
			if letter == 'o' {
				if len(args) == 0 {
					r.listOptions(word[0] == '-')
					continue
				}
				if exit := r.setOption(args[0], word[0] == '-'); exit.code != 0 {
					return exit
				}
				args = args[1:]
				continue
			}
			if exit := r.setLetter(byte(letter), word[0] == '-'); exit.code != 0 {
				return exit
			}
		}
	}
	if len(args) > 0 {
		r.setParams(args)
	}
	return exitStatus{}
}

func (r *Runner) setLetter(letter byte, on bool) exitStatus {
	if opt := r.posixOptByFlag(letter); opt != nil && letter != ' ' {
		*opt = on
		return exitStatus{}
	}
	for name, fixed := range fixedOptions {
		if fixed.letter == letter && letter != 0 {
			return r.setOption(name, on)
		}
	}
	sign := "-"
	if !on {
		sign = "+"
	}
	r.complain("set: %s%c: invalid option", sign, letter)
	return r.usage("set: usage: set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]")
}

func (r *Runner) setParams(args []string) {
	r.Params = args
	if r.inSource {
		r.sourceSetParams = true
	}
}

func (r *Runner) listOptions(readable bool) {
	for _, name := range optionNames() {
		on, _ := r.optionState(name)
		switch {
		case readable:
			r.outf("%-15s\t%s\n", name, r.optStatusText(on))
		case on:
			r.outf("set -o %s\n", name)
		default:
			r.outf("set +o %s\n", name)
		}
	}
}

// optionList is $SHELLOPTS, or $BASHOPTS.
func (r *Runner) optionList(bash bool) string {
	var on []string
	if bash {
		for i, opt := range bashOptsTable {
			if r.opts[len(posixOptsTable)+i] {
				on = append(on, opt.name)
			}
		}
	} else {
		for _, name := range optionNames() {
			if state, _ := r.optionState(name); state {
				on = append(on, name)
			}
		}
	}
	slices.Sort(on)
	return strings.Join(on, ":")
}

// saveOptions is `local -`: the options of `set` are put back when the function returns.
func (r *Runner) saveOptions() {
	if n := len(r.frames); n > 0 && r.savedOptions[n] == nil {
		if r.savedOptions == nil {
			r.savedOptions = map[int]*runnerOpts{}
		}
		saved := r.opts
		r.savedOptions[n] = &saved
	}
}

func (r *Runner) restoreOptions() {
	if saved := r.savedOptions[len(r.frames)]; saved != nil {
		copy(r.opts[:len(posixOptsTable)], saved[:len(posixOptsTable)])
		delete(r.savedOptions, len(r.frames))
		r.updateExpandOpts()
	}
}

// shopt shows and changes bash's own options.
func (r *Runner) shopt(args []string) exitStatus {
	mode, quiet, reusable, posix := "", false, false, false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		for _, flag := range args[0][1:] {
			switch flag {
			case 's', 'u':
				mode = string(flag)
			case 'q':
				quiet = true
			case 'p':
				reusable = true
			case 'o':
				posix = true
			default:
				r.complain("shopt: -%c: invalid option", flag)
				return r.usage("shopt: usage: shopt [-pqsu] [-o] [optname ...]")
			}
		}
		args = args[1:]
	}
	names := args
	if len(names) == 0 {
		names = r.shoptNames(posix)
	}
	exit := exitStatus{}
	for _, name := range names {
		on, ok := r.shoptState(name, posix)
		switch {
		case !ok:
			exit = r.failed(1, "shopt: %s: invalid shell option name", name)
		case mode != "" && len(args) > 0:
			if failed := r.changeShopt(name, mode == "s", posix); failed.code != 0 {
				exit = failed
			}
		default:
			if len(args) > 0 && !on {
				exit.code = 1
			}
			if !quiet && (mode == "" || (mode == "s") == on) {
				r.showShopt(name, on, reusable, posix)
			}
		}
	}
	r.updateExpandOpts()
	return exit
}

func (r *Runner) shoptNames(posix bool) []string {
	if posix {
		return optionNames()
	}
	var names []string
	for _, opt := range bashOptsTable {
		names = append(names, opt.name)
	}
	slices.Sort(names)
	return names
}

func (r *Runner) shoptState(name string, posix bool) (on, ok bool) {
	if posix {
		return r.optionState(name)
	}
	opt, _ := r.bashOptByName(name)
	if opt == nil {
		return false, false
	}
	return *opt, true
}

func (r *Runner) changeShopt(name string, on, posix bool) exitStatus {
	if posix {
		return r.setOption(name, on)
	}
	opt, supported := r.bashOptByName(name)
	if !supported && *opt != on {
		return r.failed(2, "shopt: %s: not supported here", name)
	}
	*opt = on
	return exitStatus{}
}

func (r *Runner) showShopt(name string, on, reusable, posix bool) {
	letter, sign := "u", "+"
	if on {
		letter, sign = "s", "-"
	}
	switch {
	case reusable && posix:
		r.outf("set %so %s\n", sign, name)
	case reusable:
		r.outf("shopt -%s %s\n", letter, name)
	default:
		r.outf("%-15s\t%s\n", name, r.optStatusText(on))
	}
}

// getopts reads the options of its arguments one after the other.
func (r *Runner) getopts(args []string) exitStatus {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) < 2 {
		return r.usage("getopts: usage: getopts optstring name [arg ...]")
	}
	optind, _ := decimal(r.envGet("OPTIND"))
	if optind-1 != r.optState.argidx {
		r.optState = getopts{argidx: max(optind, 1) - 1}
	}
	letters, name := args[0], args[1]
	words := args[2:]
	if len(words) == 0 {
		words = r.Params
	}
	if !syntax.ValidName(name) {
		return r.failed(1, "getopts: `%s': not a valid identifier", name)
	}
	silent := strings.HasPrefix(letters, ":")
	loud := !silent && r.envGet("OPTERR") != "0"
	opt, optarg, done := r.optState.next(strings.TrimPrefix(letters, ":"), words)
	if done && r.optState.argidx < len(words) && words[r.optState.argidx] == "--" {
		r.optState.argidx++
	}
	_ = r.writeEnv.Set("OPTARG", expand.Variable{})
	switch {
	case done:
		opt = '?'
	case opt == '?':
		if loud {
			r.errf("%s: illegal option -- %s\n", r.scriptName(), optarg)
		} else if silent {
			r.setVarString("OPTARG", optarg)
		}
	case opt == ':':
		if loud {
			r.errf("%s: option requires an argument -- %s\n", r.scriptName(), optarg)
		}
		if silent {
			r.setVarString("OPTARG", optarg)
		} else {
			opt = '?'
		}
	case takesArgument(letters, opt):
		r.setVarString("OPTARG", optarg)
	}
	r.setVarString(name, string(opt))
	r.setVar("OPTIND", number(r.optState.argidx+1))
	if done {
		return exitStatus{code: 1}
	}
	return exitStatus{}
}

func takesArgument(letters string, opt rune) bool {
	_, after, ok := strings.Cut(letters, string(opt))
	return ok && strings.HasPrefix(after, ":")
}

// optionLetters is $-: the letters of the options that are on, in bash's order.
func (r *Runner) optionLetters() string {
	var out strings.Builder
	for _, letter := range []byte("abefhkmnprtuvxBCEHPT") {
		if opt := r.posixOptByFlag(letter); opt != nil && *opt || letter == 'h' || letter == 'B' {
			out.WriteByte(letter)
		}
	}
	return out.String() + "c"
}
