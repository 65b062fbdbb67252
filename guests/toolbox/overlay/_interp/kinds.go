package interp

import (
	"context"
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// typeOf tells what a word would run.
func (r *Runner) typeOf(args []string) exitStatus {
	mode, all, noFuncs := byte(0), false, false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		word := args[0]
		args = args[1:]
		if word == "--" {
			break
		}
		for _, flag := range word[1:] {
			switch flag {
			case 't', 'p', 'P':
				mode = byte(flag)
			case 'a':
				all = true
			case 'f':
				noFuncs = true
			default:
				r.complain("type: -%c: invalid option", flag)
				return r.usage("type: usage: type [-afptP] name [name ...]")
			}
		}
	}
	exit := exitStatus{}
	for _, name := range args {
		found := r.meanings(name, noFuncs)
		if mode == 'P' {
			found = slices.DeleteFunc(found, func(m meaning) bool { return m.kind != "file" })
		}
		if len(found) == 0 {
			exit.code = 1
			if mode == 0 {
				r.complain("type: %s: not found", name)
			}
			continue
		}
		if !all {
			found = found[:1]
		}
		for _, one := range found {
			switch {
			case mode == 't':
				r.outf("%s\n", one.kind)
			case mode == 0:
				r.out(one.text)
			case one.kind == "file":
				r.outf("%s\n", one.path)
			}
		}
	}
	return exit
}

// meaning is one thing a word may run.
type meaning struct{ kind, text, path string }

// meanings lists them in the order in which the shell looks.
func (r *Runner) meanings(name string, noFuncs bool) []meaning {
	var found []meaning
	if als, ok := r.alias[name]; ok && r.opts[optExpandAliases] {
		found = append(found, meaning{"alias", name + " is aliased to `" + als.source + "'\n", ""})
	}
	if syntax.IsKeyword(name) {
		found = append(found, meaning{"keyword", name + " is a shell keyword\n", ""})
	}
	if body := r.Funcs[name]; body != nil && !noFuncs {
		found = append(found, meaning{"function", name + " is a function\n" + functionSource(name, body), ""})
	}
	if IsBuiltin(name) {
		found = append(found, meaning{"builtin", name + " is a shell builtin\n", ""})
	}
	if path, err := LookPathDir(r.Dir, r.writeEnv, name); err == nil {
		found = append(found, meaning{"file", name + " is " + path + "\n", path})
	}
	return found
}

// command runs a command that is no function, or tells what a word would run.
func (r *Runner) command(ctx context.Context, args []string) (exitStatus, bool) {
	short, long := false, false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		word := args[0]
		args = args[1:]
		if word == "--" {
			break
		}
		for _, flag := range word[1:] {
			switch flag {
			case 'v':
				short = true
			case 'V':
				long = true
			case 'p':
			default:
				r.complain("command: -%c: invalid option", flag)
				return r.usage("command: usage: command [-pVv] command [arg ...]"), true
			}
		}
	}
	if len(args) == 0 {
		return exitStatus{}, true
	}
	if !short && !long {
		return r.runPlain(ctx, args), true
	}
	exit := exitStatus{code: 1}
	for _, name := range args {
		found := r.meanings(name, false)
		switch {
		case len(found) == 0:
			if long {
				r.complain("command: %s: not found", name)
			}
			continue
		case long:
			r.out(found[0].text)
		case found[0].kind == "file":
			r.outf("%s\n", found[0].path)
		case found[0].kind == "alias":
			r.outf("alias %s=%s\n", name, expand.QuoteSingle(r.alias[name].source))
		default:
			r.outf("%s\n", name)
		}
		exit.code = 0
	}
	return exit, true
}

// runPlain runs a builtin or a program, not a function.
func (r *Runner) runPlain(ctx context.Context, args []string) exitStatus {
	if IsBuiltin(args[0]) {
		if clause, ok := declarationCall(args); ok {
			r.exit = exitStatus{}
			r.declare(ctx, clause)
			return r.exit
		}
		return r.builtin(ctx, todoPos, args[0], args[1:])
	}
	r.exit = exitStatus{}
	r.exec(ctx, todoPos, args)
	return r.exit
}

// declarationCall makes the clause of `command export x=1`, which the parser took for a plain command.
func declarationCall(args []string) (*syntax.DeclClause, bool) {
	switch args[0] {
	case "declare", "typeset", "local", "export", "readonly":
	default:
		return nil, false
	}
	clause := &syntax.DeclClause{Variant: &syntax.Lit{Value: args[0]}}
	for _, arg := range args[1:] {
		word := &syntax.Word{Parts: []syntax.WordPart{&syntax.SglQuoted{Value: arg}}}
		clause.Args = append(clause.Args, &syntax.Assign{Naked: true, Value: word})
	}
	return clause, true
}

func (r *Runner) builtinOnly(ctx context.Context, args []string) exitStatus {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return exitStatus{}
	}
	if !IsBuiltin(args[0]) {
		return r.failed(1, "builtin: %s: not a shell builtin", args[0])
	}
	return r.runPlain(ctx, args)
}

// hash knows no table: commands are functions of this module.
func (r *Runner) hash(args []string) exitStatus {
	exit := exitStatus{}
	if len(args) == 0 {
		r.out("hash: hash table empty\n")
	}
	show := false
	for _, word := range args {
		if len(word) > 1 && word[0] == '-' {
			show = show || word == "-t"
			continue
		}
		path, err := LookPathDir(r.Dir, r.writeEnv, word)
		if err != nil && !IsBuiltin(word) && r.Funcs[word] == nil {
			exit = r.failed(1, "hash: %s: not found", word)
		} else if show && err == nil {
			r.outf("%s\n", path)
		}
	}
	return exit
}

// aliases sets or shows aliases.
func (r *Runner) aliases(args []string) exitStatus {
	if len(args) > 0 && (args[0] == "-p" || args[0] == "--") {
		args = args[1:]
	}
	if len(args) == 0 {
		for _, name := range slices.Sorted(maps.Keys(r.alias)) {
			r.outf("alias %s=%s\n", name, expand.QuoteSingle(r.alias[name].source))
		}
		return exitStatus{}
	}
	exit := exitStatus{}
	for _, arg := range args {
		name, source, ok := strings.Cut(arg, "=")
		if !ok {
			if als, ok := r.alias[name]; ok {
				r.outf("alias %s=%s\n", name, expand.QuoteSingle(als.source))
			} else {
				exit = r.failed(1, "alias: %s: not found", name)
			}
			continue
		}
		one := alias{source: source, blank: strings.TrimRight(source, " \t") != source}
		for word, err := range syntax.NewParser().WordsSeq(strings.NewReader(source)) {
			if err != nil { // more than a simple command
				one.args = evalOf(source)
				break
			}
			one.args = append(one.args, word)
		}
		if r.alias == nil {
			r.alias = map[string]alias{}
		}
		r.alias[name] = one
	}
	return exit
}

// evalOf runs an alias of several commands: what follows it belongs to its text.
func evalOf(source string) []*syntax.Word {
	return []*syntax.Word{
		{Parts: []syntax.WordPart{&syntax.Lit{Value: "eval"}}},
		{Parts: []syntax.WordPart{&syntax.SglQuoted{Value: source}}},
	}
}

func (r *Runner) unalias(args []string) exitStatus {
	if len(args) > 0 && args[0] == "-a" {
		r.alias = nil
		return exitStatus{}
	}
	exit := exitStatus{}
	for _, name := range args {
		if _, ok := r.alias[name]; !ok {
			exit = r.failed(1, "unalias: %s: not found", name)
		}
		delete(r.alias, name)
	}
	return exit
}
