package interp

// This file takes the place of interp/trace.go, which quotes the words of a command as one and knows no PS4.

import (
	"bytes"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// tracer writes what `set -x` shows; a nil tracer writes nothing.
type tracer struct {
	r       *Runner
	buf     bytes.Buffer
	printer *syntax.Printer
}

func (r *Runner) tracer() *tracer {
	if !r.opts[optXTrace] {
		return nil
	}
	return &tracer{r: r, printer: syntax.NewPrinter(syntax.SingleLine(true))}
}

// prefix is PS4 with its first character once for each level of substitution.
func (t *tracer) prefix() string {
	vr := t.r.lookupVar("PS4")
	if !vr.IsSet() {
		return strings.Repeat("+", t.r.traceDepth+1) + " "
	}
	text := vr.String()
	if strings.ContainsAny(text, "$`\\") {
		t.r.opts[optXTrace] = false
		if word, err := syntax.NewParser().Document(strings.NewReader(text)); err == nil {
			if expanded, err := expand.Document(t.r.ecfg, word); err == nil {
				text = expanded
			}
		}
		t.r.opts[optXTrace] = true
	}
	if text == "" {
		return ""
	}
	return strings.Repeat(text[:1], t.r.traceDepth) + text
}

func (t *tracer) string(s string) {
	if t != nil {
		t.buf.WriteString(s)
	}
}

func (t *tracer) stringf(f string, a ...any) {
	if t != nil {
		t.string(sprintf(f, a...))
	}
}

func (t *tracer) expr(x syntax.Node) {
	if t != nil {
		_ = t.printer.Print(&t.buf, x)
	}
}

// newLineFlush writes the line; `BASH_XTRACEFD` is not known here.
func (t *tracer) newLineFlush() {
	if t == nil || t.buf.Len() == 0 {
		return
	}
	line := t.prefix() + t.buf.String() + "\n"
	t.buf.Reset()
	_, _ = t.r.stderr.Write([]byte(line))
}

// quoteBash quotes a word where it needs quotes, as `set -x` and `set` show it.
func quoteBash(s string) string {
	if s == "" {
		return "''"
	}
	quoted := expand.QuoteSingle(s)
	if quoted[0] == '$' || strings.ContainsAny(s, " \t\n!\"$&'()*,;<>?[\\]^`{|}") || s[0] == '#' || s[0] == '~' {
		return quoted
	}
	return s
}

// call shows a command.
func (t *tracer) call(cmd string, args ...string) {
	if t == nil {
		return
	}
	t.string(quoteBash(cmd))
	for _, arg := range args {
		t.string(" " + quoteBash(arg))
	}
}

// declaration shows a declaration with its values expanded.
func (t *tracer) declaration(clause *syntax.DeclClause) {
	if t == nil {
		return
	}
	t.string(clause.Variant.Value)
	for _, as := range clause.Args {
		switch {
		case as.Name == nil:
			for _, field := range t.r.fields(as.Value) {
				t.string(" " + quoteBash(field))
			}
		case as.Naked:
			t.string(" " + as.Name.Value)
		case as.Array != nil || as.Index != nil:
			t.string(" ")
			t.expr(as)
		default:
			t.string(" " + quoteBash(as.Name.Value+"="+t.r.literal(as.Value)))
		}
	}
	t.newLineFlush()
}

// test shows a comparison of [[ ]] with its words expanded; larger expressions are shown as they stand.
func (t *tracer) test(expr syntax.TestExpr) {
	t.string("[[ " + t.operand(expr) + " ]]")
	t.newLineFlush()
}

// rightOperand shows a pattern with backslashes before what was quoted, and an expression as it stands.
func (t *tracer) rightOperand(test *syntax.BinaryTest) string {
	word, ok := test.Y.(*syntax.Word)
	switch {
	case ok && t.r.literal(word) == "":
		return "''"
	case ok && (test.Op == syntax.TsMatch || test.Op == syntax.TsNoMatch || test.Op == syntax.TsMatchShort):
		return t.r.pattern(word)
	case ok && test.Op == syntax.TsReMatch:
		return t.r.literal(word)
	}
	return t.operand(test.Y)
}

func (t *tracer) operand(expr syntax.TestExpr) string {
	switch x := expr.(type) {
	case *syntax.Word:
		if text := t.r.literal(x); text != "" {
			return text
		}
		return "''"
	case *syntax.UnaryTest:
		return x.Op.String() + " " + t.operand(x.X)
	case *syntax.ParenTest:
		return "( " + t.operand(x.X) + " )"
	case *syntax.BinaryTest:
		return t.operand(x.X) + " " + x.Op.String() + " " + t.rightOperand(x)
	}
	return ""
}
