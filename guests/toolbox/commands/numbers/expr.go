// Package numbers holds the commands that evaluate, factor, format and count in numbers.
package numbers

import (
	"errors"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/pattern"
)

// exprParser evaluates expr's arguments by precedence climbing.
type exprParser struct {
	args    []string
	problem error
}

// Expr is the command expr.
func Expr(c *kit.Call) int {
	if len(c.Args) == 0 {
		return c.Usage(2, "missing operand")
	}
	p := &exprParser{args: c.Args}
	value := p.level(0)
	if p.problem == nil && len(p.args) > 0 {
		p.problem = errors.New("syntax error: unexpected argument '" + p.args[0] + "'")
	}
	if p.problem != nil {
		c.Fail("%s", p.problem)
		return 2
	}
	c.Out.Line(value)
	if value == "" || value == "0" {
		return 1
	}
	return 0
}

// levels are the operators from loosest to tightest.
var exprLevels = [][]string{{"|"}, {"&"}, {"<", "<=", "=", "==", "!=", ">=", ">"}, {"+", "-"}, {"*", "/", "%"}, {":"}}

func (p *exprParser) level(n int) string {
	if n == len(exprLevels) {
		return p.primary()
	}
	left := p.level(n + 1)
	for p.problem == nil && len(p.args) > 0 {
		operator := p.args[0]
		found := false
		for _, one := range exprLevels[n] {
			found = found || one == operator
		}
		if !found {
			return left
		}
		p.args = p.args[1:]
		left = p.apply(operator, left, p.level(n+1))
	}
	return left
}

func (p *exprParser) primary() string {
	if len(p.args) == 0 {
		p.problem = errors.New("syntax error: missing argument")
		return ""
	}
	word := p.args[0]
	p.args = p.args[1:]
	need := func(n int) bool {
		if len(p.args) < n {
			p.problem = errors.New("syntax error: missing argument after '" + word + "'")
		}
		return p.problem == nil
	}
	switch word {
	case "(":
		value := p.level(0)
		if need(1) && p.args[0] != ")" {
			p.problem = errors.New("syntax error: expecting ')'")
		} else if p.problem == nil {
			p.args = p.args[1:]
		}
		return value
	case "length":
		if need(1) {
			return strconv.Itoa(len([]rune(p.primary())))
		}
	case "match":
		if need(2) {
			text := p.primary()
			return p.apply(":", text, p.primary())
		}
	case "index":
		if need(2) {
			text, set := p.primary(), p.primary()
			return strconv.Itoa(strings.IndexAny(text, set) + 1)
		}
	case "substr":
		if need(3) {
			text := []rune(p.primary())
			from, _ := strconv.Atoi(p.primary())
			count, _ := strconv.Atoi(p.primary())
			if from < 1 || count < 1 || from > len(text) {
				return ""
			}
			return string(text[from-1 : from-1+min(len(text)-from+1, count)])
		}
	}
	return word
}

func (p *exprParser) apply(operator, a, b string) string {
	if p.problem != nil {
		return ""
	}
	truth := map[bool]string{true: "1", false: "0"}
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	numbers := errX == nil && errY == nil
	order := strings.Compare(a, b)
	if numbers {
		order = 0
		if x < y {
			order = -1
		} else if x > y {
			order = 1
		}
	}
	switch operator {
	case "|":
		if a != "" && a != "0" {
			return a
		}
		if b == "" {
			return "0"
		}
		return b
	case "&":
		if a == "" || a == "0" || b == "" || b == "0" {
			return "0"
		}
		return a
	case "<":
		return truth[order < 0]
	case "<=":
		return truth[order <= 0]
	case "=", "==":
		return truth[order == 0]
	case "!=":
		return truth[order != 0]
	case ">=":
		return truth[order >= 0]
	case ">":
		return truth[order > 0]
	case ":":
		return p.match(a, b)
	}
	if !numbers {
		p.problem = errors.New("non-integer argument")
		return ""
	}
	return p.calculate(operator, x, y)
}

func (p *exprParser) calculate(operator string, x, y int64) string {
	switch operator {
	case "+":
		return strconv.FormatInt(x+y, 10)
	case "-":
		return strconv.FormatInt(x-y, 10)
	case "*":
		return strconv.FormatInt(x*y, 10)
	}
	if y == 0 {
		p.problem = errors.New("division by zero")
		return ""
	}
	if operator == "/" {
		return strconv.FormatInt(x/y, 10)
	}
	return strconv.FormatInt(x%y, 10)
}

// match is TEXT : REGEX, anchored at the start: the first group, or the length of the match.
func (p *exprParser) match(text, regex string) string {
	compiled, err := pattern.Compile("^"+strings.TrimPrefix(regex, "^"), pattern.Basic, pattern.Options{})
	if err != nil {
		p.problem = err
		return ""
	}
	m := compiled.Find([]byte(text))
	switch {
	case compiled.Groups() > 0 && (m == nil || m[2] < 0):
		return ""
	case compiled.Groups() > 0:
		return text[m[2]:m[3]]
	case m == nil:
		return "0"
	}
	return strconv.Itoa(len([]rune(text[:m[1]])))
}
