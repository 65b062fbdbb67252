package interp

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// tester evaluates the words of `test` and `[`.
type tester struct {
	r     *Runner
	ctx   context.Context
	name  string
	words []string
	fault bool
}

// test is the builtin; POSIX fixes the meaning of up to four words.
func (r *Runner) test(ctx context.Context, name string, args []string) exitStatus {
	if name == "[" {
		if len(args) == 0 || args[len(args)-1] != "]" {
			return r.failed(2, "[: missing `]'")
		}
		args = args[:len(args)-1]
	}
	t := &tester{r: r, ctx: ctx, name: name, words: args}
	var yes bool
	if len(args) > 0 {
		if yes = t.few(args); len(t.words) > 0 && !t.fault {
			t.fail("too many arguments")
		}
	}
	switch {
	case t.fault:
		return exitStatus{code: 2}
	case yes:
		return exitStatus{}
	}
	return exitStatus{code: 1}
}

func (t *tester) fail(format string, a ...any) bool {
	if !t.fault {
		t.r.complain(t.name+": "+format, a...)
	}
	t.fault = true
	return false
}

// few follows POSIX for one to four words, and the grammar for more.
func (t *tester) few(w []string) bool {
	done := func() { t.words = nil }
	switch {
	case len(w) == 1:
		done()
		return w[0] != ""
	case len(w) == 2 && w[0] == "!":
		done()
		return w[1] == ""
	case len(w) == 2:
		if unaryOperator(w[0]) == 0 {
			return t.fail("%s: unary operator expected", w[0])
		}
		done()
		return t.unary(w[0], w[1])
	case len(w) == 3 && (binaryOperator(w[1]) != 0 || w[1] == "-a" || w[1] == "-o"):
		done()
		switch w[1] {
		case "-a":
			return w[0] != "" && w[2] != ""
		case "-o":
			return w[0] != "" || w[2] != ""
		}
		return t.binary(w[0], w[1], w[2])
	case len(w) == 3 && w[0] == "!":
		return !t.few(w[1:])
	case len(w) == 3 && w[0] == "(" && w[2] == ")":
		done()
		return w[1] != ""
	case len(w) == 3 && unaryOperator(w[0]) == 0:
		return t.fail("%s: binary operator expected", w[1])
	case len(w) == 4 && w[0] == "!":
		return !t.few(w[1:])
	}
	return t.or()
}

func (t *tester) next() string {
	if len(t.words) == 0 {
		return ""
	}
	word := t.words[0]
	t.words = t.words[1:]
	return word
}

func (t *tester) or() bool {
	yes := t.and()
	for len(t.words) > 0 && t.words[0] == "-o" {
		t.next()
		other := t.and()
		yes = yes || other
	}
	return yes
}

func (t *tester) and() bool {
	yes := t.term()
	for len(t.words) > 0 && t.words[0] == "-a" {
		t.next()
		other := t.term()
		yes = yes && other
	}
	return yes
}

func (t *tester) term() bool {
	switch {
	case len(t.words) == 0:
		return t.fail("argument expected")
	case t.words[0] == "!" && len(t.words) > 1:
		t.next()
		return !t.term()
	case len(t.words) > 2 && binaryOperator(t.words[1]) != 0:
		x, op, y := t.next(), t.next(), t.next()
		return t.binary(x, op, y)
	case t.words[0] == "(" && len(t.words) > 1:
		t.next()
		yes := t.or()
		if t.next() != ")" {
			return t.fail("`)' expected")
		}
		return yes
	case len(t.words) > 1 && unaryOperator(t.words[0]) != 0:
		op, x := t.next(), t.next()
		return t.unary(op, x)
	}
	return t.next() != ""
}

var unaryOperators = map[string]syntax.UnTestOperator{
	"-e": syntax.TsExists, "-a": syntax.TsExists, "-f": syntax.TsRegFile, "-d": syntax.TsDirect, "-c": syntax.TsCharSp,
	"-b": syntax.TsBlckSp, "-p": syntax.TsNmPipe, "-S": syntax.TsSocket, "-L": syntax.TsSmbLink, "-h": syntax.TsSmbLink,
	"-k": syntax.TsSticky, "-g": syntax.TsGIDSet, "-u": syntax.TsUIDSet, "-G": syntax.TsGrpOwn, "-O": syntax.TsUsrOwn,
	"-N": syntax.TsModif, "-r": syntax.TsRead, "-w": syntax.TsWrite, "-x": syntax.TsExec, "-s": syntax.TsNoEmpty,
	"-t": syntax.TsFdTerm, "-z": syntax.TsEmpStr, "-n": syntax.TsNempStr, "-o": syntax.TsOptSet, "-v": syntax.TsVarSet,
	"-R": syntax.TsRefVar,
}

var binaryOperators = map[string]syntax.BinTestOperator{
	"=": syntax.TsMatchShort, "==": syntax.TsMatch, "!=": syntax.TsNoMatch, "-nt": syntax.TsNewer, "-ot": syntax.TsOlder,
	"-ef": syntax.TsDevIno, "-eq": syntax.TsEql, "-ne": syntax.TsNeq, "-le": syntax.TsLeq, "-ge": syntax.TsGeq,
	"-lt": syntax.TsLss, "-gt": syntax.TsGtr, "<": syntax.TsBefore, ">": syntax.TsAfter,
}

func unaryOperator(word string) syntax.UnTestOperator   { return unaryOperators[word] }
func binaryOperator(word string) syntax.BinTestOperator { return binaryOperators[word] }

func (t *tester) unary(op, x string) bool {
	return t.r.unTest(t.ctx, unaryOperators[op], x)
}

func (t *tester) binary(x, word, y string) bool {
	switch op := binaryOperators[word]; op {
	case syntax.TsMatchShort, syntax.TsMatch:
		return x == y
	case syntax.TsNoMatch:
		return x != y
	case syntax.TsEql, syntax.TsNeq, syntax.TsLeq, syntax.TsGeq, syntax.TsLss, syntax.TsGtr:
		a, ok := t.integer(x)
		if !ok {
			return false
		}
		b, ok := t.integer(y)
		return ok && compareIntegers(op, a, b)
	default:
		return t.r.binTest(t.ctx, op, x, y)
	}
}

func (t *tester) integer(word string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(word), 10, 64)
	if err != nil {
		t.fail("%s: integer expression expected", word)
		return 0, false
	}
	return n, true
}

func compareIntegers(op syntax.BinTestOperator, a, b int64) bool {
	switch op {
	case syntax.TsEql:
		return a == b
	case syntax.TsNeq:
		return a != b
	case syntax.TsLeq:
		return a <= b
	case syntax.TsGeq:
		return a >= b
	case syntax.TsLss:
		return a < b
	}
	return a > b
}

// matchRegexp is [[ text =~ expression ]].
func (r *Runner) matchRegexp(text, expression string) bool {
	if r.opts[optNoCaseMatch] {
		expression = "(?i)" + expression
	}
	rx, err := regexp.Compile("(?s)" + expression)
	if err != nil {
		r.exit.code = 2
		return false
	}
	rx.Longest()
	groups := rx.FindStringSubmatch(text)
	if groups == nil {
		groups = []string{}
	}
	r.setVar("BASH_REMATCH", expand.Variable{Set: true, Kind: expand.Indexed, List: groups})
	return len(groups) > 0
}

// numeric compares the operands of [[ -eq ]], which are expressions.
func (r *Runner) numeric(op syntax.BinTestOperator, x, y string) bool {
	r.arithmeticIn = "[[: "
	a, b := r.evaluate(x), r.evaluate(y)
	r.arithmeticIn = ""
	return r.exit.ok() && compareIntegers(op, int64(a), int64(b))
}
