package expand

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// digitValues are those of bases up to 64; up to 36, letters of both cases mean the same.
const digitValues = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_"

// arithmNumber reads 10, 010, 0x10 and base#digits.
func arithmNumber(text string) (int64, error) {
	base, rest := int64(10), text
	switch {
	case len(text) > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'):
		base, rest = 16, text[2:]
	case len(text) > 1 && text[0] == '0' && strings.IndexByte(text, '#') < 0:
		base, rest = 8, text[1:]
	default:
		if before, after, ok := strings.Cut(text, "#"); ok {
			base = 0
			for _, c := range []byte(before) {
				if c < '0' || c > '9' || base > 64 {
					return 0, &ArithmError{text, "invalid arithmetic base", text}
				}
				base = base*10 + int64(c-'0')
			}
			if base < 2 || base > 64 {
				return 0, &ArithmError{text, "invalid arithmetic base", text}
			}
			if rest = after; rest == "" {
				return 0, &ArithmError{text, "invalid integer constant", text}
			}
		}
	}
	n := int64(0)
	for _, c := range []byte(rest) {
		d := int64(strings.IndexByte(digitValues, c))
		if base <= 36 && d >= 36 && d < 62 {
			d -= 26
		}
		if d < 0 || d >= base {
			return 0, &ArithmError{text, "value too great for base", text}
		}
		n = n*base + d
	}
	return n, nil
}

// isNumeral says whether the whole text is one token that begins as a number does.
func isNumeral(text string) bool {
	for _, c := range []byte(text) {
		if strings.IndexByte(digitValues, c) < 0 && c != '#' {
			return false
		}
	}
	return true
}

// lastToken is what bash's parser stands before when an expression ends too early.
func lastToken(text string) string {
	if at := strings.LastIndexAny(text, " \t"); at >= 0 && at+1 < len(text) {
		return text[at+1:]
	}
	return text
}

// arithmSource writes an expression as it stands in the script, with its words expanded.
func (cfg *Config) arithmSource(expr syntax.ArithmExpr) string {
	switch expr := expr.(type) {
	case *syntax.Word:
		if text := expr.Lit(); text != "" {
			return text
		}
		for _, part := range expr.Parts {
			if _, ok := part.(*syntax.CmdSubst); ok {
				return "$(...)" // it is not run again for a message
			}
			if pe, ok := part.(*syntax.ParamExp); ok && pe.Short && pe.Index != nil && !pe.Dollar.IsValid() {
				return pe.Param.Value + "[" + cfg.arithmSource(pe.Index) + "]"
			}
		}
		text, _ := Literal(cfg, expr)
		return text
	case *syntax.ParenArithm:
		return "(" + cfg.arithmSource(expr.X) + ")"
	case *syntax.UnaryArithm:
		if expr.Post {
			return cfg.arithmSource(expr.X) + expr.Op.String()
		}
		return expr.Op.String() + cfg.arithmSource(expr.X)
	case *syntax.BinaryArithm:
		op := expr.Op.String()
		return cfg.arithmSource(expr.X) + gap(expr.X.End(), expr.OpPos) + op +
			gapAfter(expr.OpPos, len(op), expr.Y.Pos()) + cfg.arithmSource(expr.Y)
	}
	return ""
}

func gap(from, to syntax.Pos) string { return gapAfter(from, 0, to) }

func gapAfter(from syntax.Pos, skip int, to syntax.Pos) string {
	n := int(to.Offset()) - int(from.Offset()) - skip
	if n <= 0 || n > 64 {
		return ""
	}
	return strings.Repeat(" ", n)
}

// ArithmSource is arithmSource for the interpreter.
func ArithmSource(cfg *Config, expr syntax.ArithmExpr) string {
	return prepareConfig(cfg).arithmSource(expr)
}

// nestingMax bounds brackets in brackets on one line: the parser calls itself for each, and its stack is bounded.
const nestingMax = 500

// NestedTooDeep says whether the text would take the parser too deep.
func NestedTooDeep(text string) bool {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '(', '{', '[':
			if depth++; depth > nestingMax {
				return true
			}
		case ')', '}', ']':
			depth = max(depth-1, 0)
		case '\n':
			depth = 0
		}
	}
	return false
}
