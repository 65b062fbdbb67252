package expand

// This file takes the place of expand/arith.go, which knows no elements of arrays on the left of an assignment, no
// variables that hold expressions, and reads a malformed number as 0.

import (
	"fmt"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// ArithmError is an expression that has no value; bash gives up the line it stands on.
type ArithmError struct {
	Expression, Reason, Token string
}

func (e *ArithmError) Error() string {
	if e.Token == "" {
		return e.Expression + ": " + e.Reason
	}
	return fmt.Sprintf("%s: %s (error token is \"%s\")", e.Expression, e.Reason, e.Token)
}

// arithmDepthMax bounds variables that hold expressions that name variables, as bash does.
const arithmDepthMax = 1024

// Arithm is the value of an expression.
func Arithm(cfg *Config, expr syntax.ArithmExpr) (int, error) {
	cfg = prepareConfig(cfg)
	n, err := cfg.arithm(expr)
	if fault, ok := err.(*ArithmError); ok && fault.Expression == "" {
		fault.Expression = cfg.arithmSource(expr)
	}
	return int(n), err
}

func (cfg *Config) arithm(expr syntax.ArithmExpr) (int64, error) {
	switch expr := expr.(type) {
	case nil:
		return 0, nil
	case *syntax.Word:
		return cfg.arithmWord(expr)
	case *syntax.ParenArithm:
		return cfg.arithm(expr.X)
	case *syntax.UnaryArithm:
		return cfg.arithmUnary(expr)
	case *syntax.BinaryArithm:
		return cfg.arithmBinary(expr)
	}
	return 0, &ArithmError{Reason: "syntax error in expression"}
}

// place is what an assignment changes.
type place struct {
	name  string
	index syntax.ArithmExpr
}

// lvalue reads the left side of an assignment.
func (cfg *Config) lvalue(expr syntax.ArithmExpr) (place, error) {
	word, ok := expr.(*syntax.Word)
	if !ok {
		return place{}, &ArithmError{Reason: "attempted assignment to non-variable", Token: cfg.arithmSource(expr)}
	}
	if name := word.Lit(); syntax.ValidName(name) {
		return place{name: name}, nil
	}
	if len(word.Parts) == 1 {
		if pe, ok := word.Parts[0].(*syntax.ParamExp); ok && pe.Index != nil && pe.Short {
			return place{pe.Param.Value, pe.Index}, nil
		}
	}
	text, err := Literal(cfg, word)
	if err != nil {
		return place{}, err
	}
	if !syntax.ValidName(text) {
		return place{}, &ArithmError{Reason: "attempted assignment to non-variable", Token: text}
	}
	return place{name: text}, nil
}

func (cfg *Config) placeValue(p place) (int64, error) {
	vr := cfg.Env.Get(p.name)
	if _, v := vr.Resolve(cfg.Env); vr.Kind == NameRef {
		vr = v
	}
	text, _, err := cfg.varInd(vr, p.index)
	if err != nil {
		return 0, err
	}
	return cfg.arithmText(text)
}

func (cfg *Config) setPlace(p place, n int64) error {
	vr := cfg.Env.Get(p.name)
	name := p.name
	if to, v := vr.Resolve(cfg.Env); to != "" {
		name, vr = to, v
	}
	return cfg.assignElem(name, vr, p.index, strconv.FormatInt(n, 10))
}

// arithmWord is the value of a number, a name, or anything that expands to an expression.
func (cfg *Config) arithmWord(word *syntax.Word) (int64, error) {
	text := word.Lit()
	if text == "" {
		for _, part := range word.Parts {
			if quoted, ok := part.(*syntax.SglQuoted); ok {
				return 0, &ArithmError{Reason: "syntax error: operand expected", Token: "'" + quoted.Value + "'"}
			}
		}
		if pe, ok := word.Parts[0].(*syntax.ParamExp); ok && len(word.Parts) == 1 && pe.Short && pe.Index != nil &&
			!pe.Dollar.IsValid() {
			return cfg.placeValue(place{pe.Param.Value, pe.Index})
		}
		var err error
		if text, err = Literal(cfg, word); err != nil {
			return 0, err
		}
	}
	return cfg.arithmText(text)
}

// arithmText is the value of text: a number, a variable, or an expression.
func (cfg *Config) arithmText(text string) (int64, error) {
	text = strings.Trim(text, " \t\n")
	switch {
	case text == "":
		return 0, nil
	case text[0] >= '0' && text[0] <= '9':
		if n, err := arithmNumber(text); err == nil || isNumeral(text) {
			return n, err
		}
	case syntax.ValidName(text):
		return cfg.arithmName(text)
	}
	if cfg.arithmDepth++; cfg.arithmDepth > arithmDepthMax {
		cfg.arithmDepth = 0
		return 0, &ArithmError{text, "expression recursion level exceeded", text}
	}
	defer func() { cfg.arithmDepth = max(cfg.arithmDepth-1, 0) }()
	if NestedTooDeep(text) {
		return 0, &ArithmError{"expression", "nested too deeply", ""}
	}
	expr, err := syntax.NewParser().Arithmetic(strings.NewReader(text))
	if err != nil {
		return 0, &ArithmError{text, "syntax error: operand expected", lastToken(text)}
	}
	if word, ok := expr.(*syntax.Word); ok && word.Lit() == text {
		return 0, &ArithmError{text, "syntax error: operand expected", text}
	}
	n, err := cfg.arithm(expr)
	if fault, ok := err.(*ArithmError); ok && fault.Expression == "" {
		fault.Expression = text
	}
	return n, err
}

func (cfg *Config) arithmName(name string) (int64, error) {
	vr := cfg.Env.Get(name)
	if vr.Kind == NameRef {
		_, vr = vr.Resolve(cfg.Env)
	}
	if !vr.IsSet() && cfg.NoUnset {
		return 0, UnsetParameterError{&syntax.ParamExp{Param: &syntax.Lit{Value: name}}, "unbound variable"}
	}
	text, _, err := cfg.varInd(vr, nil)
	if err != nil || text == "" {
		return 0, err
	}
	if text[0] >= '0' && text[0] <= '9' {
		if n, err := arithmNumber(text); err == nil {
			return n, nil
		}
	}
	if cfg.arithmDepth++; cfg.arithmDepth > arithmDepthMax {
		cfg.arithmDepth = 0
		return 0, &ArithmError{name, "expression recursion level exceeded", name}
	}
	defer func() { cfg.arithmDepth = max(cfg.arithmDepth-1, 0) }()
	return cfg.arithmText(text)
}

func (cfg *Config) arithmUnary(expr *syntax.UnaryArithm) (int64, error) {
	if expr.Op == syntax.Inc || expr.Op == syntax.Dec {
		p, err := cfg.lvalue(expr.X)
		if err != nil {
			return 0, err
		}
		old, err := cfg.placeValue(p)
		if err != nil {
			return 0, err
		}
		now := old + 1
		if expr.Op == syntax.Dec {
			now = old - 1
		}
		if err := cfg.setPlace(p, now); err != nil {
			return 0, err
		}
		if expr.Post {
			return old, nil
		}
		return now, nil
	}
	n, err := cfg.arithm(expr.X)
	if err != nil {
		return 0, err
	}
	switch expr.Op {
	case syntax.Not:
		return truth(n == 0), nil
	case syntax.BitNegation:
		return ^n, nil
	case syntax.Plus:
		return n, nil
	case syntax.Minus:
		return -n, nil
	}
	return 0, &ArithmError{Reason: "syntax error in expression", Token: expr.Op.String()}
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

var assigning = map[syntax.BinAritOperator]syntax.BinAritOperator{
	syntax.Assgn: 0, syntax.AddAssgn: syntax.Add, syntax.SubAssgn: syntax.Sub, syntax.MulAssgn: syntax.Mul,
	syntax.QuoAssgn: syntax.Quo, syntax.RemAssgn: syntax.Rem, syntax.AndAssgn: syntax.And, syntax.OrAssgn: syntax.Or,
	syntax.XorAssgn: syntax.Xor, syntax.ShlAssgn: syntax.Shl, syntax.ShrAssgn: syntax.Shr,
}

func (cfg *Config) arithmBinary(expr *syntax.BinaryArithm) (int64, error) {
	if op, ok := assigning[expr.Op]; ok {
		return cfg.arithmAssign(expr, op)
	}
	left, err := cfg.arithm(expr.X)
	if err != nil {
		return 0, err
	}
	switch expr.Op {
	case syntax.TernQuest:
		branches, ok := expr.Y.(*syntax.BinaryArithm)
		if !ok || branches.Op != syntax.TernColon {
			return 0, &ArithmError{Reason: "`:' expected for conditional expression"}
		}
		if left != 0 {
			return cfg.arithm(branches.X)
		}
		return cfg.arithm(branches.Y)
	case syntax.AndArit, syntax.OrArit:
		if (left != 0) == (expr.Op == syntax.OrArit) {
			return truth(left != 0), nil
		}
		right, err := cfg.arithm(expr.Y)
		return truth(right != 0), err
	}
	right, err := cfg.arithm(expr.Y)
	if err != nil {
		return 0, err
	}
	return cfg.operate(expr, expr.Op, left, right)
}

func (cfg *Config) arithmAssign(expr *syntax.BinaryArithm, op syntax.BinAritOperator) (int64, error) {
	p, err := cfg.lvalue(expr.X)
	if err != nil {
		return 0, err
	}
	n, err := cfg.arithm(expr.Y)
	if err != nil {
		return 0, err
	}
	if op != 0 {
		old, err := cfg.placeValue(p)
		if err != nil {
			return 0, err
		}
		if n, err = cfg.operate(expr, op, old, n); err != nil {
			return 0, err
		}
	}
	return n, cfg.setPlace(p, n)
}

// operate applies an operator; numbers have 64 bits and wrap, shifts count modulo 64.
func (cfg *Config) operate(expr *syntax.BinaryArithm, op syntax.BinAritOperator, x, y int64) (int64, error) {
	switch op {
	case syntax.Add:
		return x + y, nil
	case syntax.Sub:
		return x - y, nil
	case syntax.Mul:
		return x * y, nil
	case syntax.Quo, syntax.Rem:
		if y == 0 {
			return 0, &ArithmError{Reason: "division by 0", Token: cfg.arithmSource(expr.Y)}
		}
		if op == syntax.Quo {
			return x / y, nil
		}
		return x % y, nil
	case syntax.Pow:
		if y < 0 {
			return 0, &ArithmError{Reason: "exponent less than 0", Token: cfg.arithmSource(expr.Y)}
		}
		p := int64(1)
		for ; y > 0; y >>= 1 {
			if y&1 != 0 {
				p *= x
			}
			x *= x
		}
		return p, nil
	case syntax.Shr:
		return x >> (uint64(y) & 63), nil
	case syntax.Shl:
		return x << (uint64(y) & 63), nil
	case syntax.And:
		return x & y, nil
	case syntax.Or:
		return x | y, nil
	case syntax.Xor:
		return x ^ y, nil
	case syntax.Comma:
		return y, nil
	}
	return compare(op, x, y)
}

func compare(op syntax.BinAritOperator, x, y int64) (int64, error) {
	switch op {
	case syntax.Eql:
		return truth(x == y), nil
	case syntax.Neq:
		return truth(x != y), nil
	case syntax.Lss:
		return truth(x < y), nil
	case syntax.Gtr:
		return truth(x > y), nil
	case syntax.Leq:
		return truth(x <= y), nil
	case syntax.Geq:
		return truth(x >= y), nil
	}
	return 0, &ArithmError{Reason: "syntax error in expression", Token: op.String()}
}
