package expand

// This file takes the place of expand/param.go: what stands for a parameter is a list or a string, in one place, so
// that every operator works on "$@", on arrays and behind ${!name}.

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// UnsetParameterError ends the shell: a parameter has no value, and `set -u` or ${x?} wants one.
type UnsetParameterError struct {
	Node    *syntax.ParamExp
	Message string
}

func (u UnsetParameterError) Error() string {
	name := u.Node.Param.Value
	if name != "" && name[0] >= '0' && name[0] <= '9' && u.Message == "unbound variable" {
		name = "$" + name
	}
	if index := nodeLit(u.Node.Index); index != "" {
		name += "[" + index + "]"
	}
	return name + ": " + u.Message
}

// ExpansionError gives up the line of the script on which it occurs.
type ExpansionError struct{ Reason string }

func (e *ExpansionError) Error() string { return e.Reason }

func nodeLit(node syntax.Node) string {
	if word, ok := node.(*syntax.Word); ok && word != nil {
		return word.Lit()
	}
	return ""
}

// operand is what an expansion works on.
type operand struct {
	name  string
	index syntax.ArithmExpr
	vr    Variable
	orig  Variable // before a nameref was followed
	all   string   // "@" or "*" if it is a whole list
	elems []string // the values; one if it is no list
	set   bool
}

// value is what stands for an expansion in the end.
type value struct {
	elems []string
	all   string
	word  *syntax.Word // if not nil: this word stands for it (${x:-word})
}

// join is the value as one string.
func (cfg *Config) join(v value) string {
	if v.all == "*" {
		return cfg.ifsJoin(v.elems)
	}
	return strings.Join(v.elems, " ")
}

// defaultWord is the word of ${x:-word} as one string; single quotes are plain characters inside double quotes.
func (cfg *Config) defaultWord(word *syntax.Word) (string, error) {
	parts := slices.Clone(word.Parts)
	for i, part := range parts {
		if single, ok := part.(*syntax.SglQuoted); ok && !single.Dollar {
			parts[i] = &syntax.Lit{Value: "'" + strings.ReplaceAll(single.Value, `\`, `\\`) + "'"}
		}
	}
	field, err := cfg.wordField(parts, quoteDouble)
	if err != nil {
		return "", err
	}
	return cfg.fieldJoin(field), nil
}

// simple is the value of $x and ${x} for a string, which most expansions are.
func (cfg *Config) simple(pe *syntax.ParamExp) (string, bool) {
	if pe.Excl || pe.Length || pe.Index != nil || pe.Slice != nil || pe.Repl != nil || pe.Exp != nil || pe.Param == nil ||
		pe.Flags != nil || pe.Width || pe.IsSet {
		return "", false
	}
	vr := cfg.Env.Get(pe.Param.Value)
	return vr.Str, vr.Kind == String && vr.Set
}

// param expands one parameter.
func (cfg *Config) param(pe *syntax.ParamExp) (value, error) {
	if text, ok := cfg.simple(pe); ok {
		return value{elems: []string{text}}, nil
	}
	if pe.Param == nil || pe.Width || pe.IsSet || pe.Flags != nil || len(pe.Modifiers) > 0 {
		return value{}, &ExpansionError{"bad substitution"}
	}
	if pe.Excl {
		switch pe.Names {
		case syntax.NamesPrefix:
			return value{elems: cfg.namesByPrefix(pe.Param.Value), all: "*"}, nil
		case syntax.NamesPrefixWords:
			return value{elems: cfg.namesByPrefix(pe.Param.Value), all: "@"}, nil
		}
	}
	op, err := cfg.operand(pe.Param.Value, pe.Index, pe.Param.Value == "@" || pe.Param.Value == "*")
	if err != nil {
		return value{}, err
	}
	if pe.Excl {
		if op.all != "" && pe.Index != nil && pe.Exp == nil && pe.Slice == nil && pe.Repl == nil {
			return value{elems: op.vr.keys(), all: op.all}, nil
		}
		if op.orig.Kind == NameRef && pe.Exp == nil {
			return value{elems: []string{op.orig.Str}}, nil
		}
		if op, err = cfg.indirect(pe, op); err != nil {
			return value{}, err
		}
	}
	if cfg.NoUnset && !op.set && op.all == "" && !overridingUnset(pe) {
		return value{}, UnsetParameterError{pe, "unbound variable"}
	}
	return cfg.operateOn(pe, op)
}

// operand looks a parameter up.
func (cfg *Config) operand(name string, index syntax.ArithmExpr, positional bool) (operand, error) {
	op := operand{name: name, index: index}
	op.vr = cfg.Env.Get(name)
	op.orig = op.vr
	if op.vr.Kind == NameRef {
		target, vr := op.vr.Resolve(cfg.Env)
		if base, sub, ok := strings.Cut(target, "["); ok && index == nil {
			op.name, op.vr = base, cfg.Env.Get(base)
			var err error
			if op.index, err = parseSubscript(strings.TrimSuffix(sub, "]"), op.vr.Kind); err != nil {
				return op, err
			}
		} else {
			op.name, op.vr = target, vr
		}
	}
	if all := allSubscript(op.index); all != "" {
		op.all = all
	} else if positional {
		op.all = name
	}
	if op.all != "" {
		op.elems = op.vr.values()
		op.set = len(op.elems) > 0
		return op, nil
	}
	text, set, err := cfg.varInd(op.vr, op.index)
	var subscript *SubscriptError
	if errors.As(err, &subscript) {
		return op, &ExpansionError{op.name + ": bad array subscript"}
	}
	op.elems, op.set = []string{text}, set
	return op, err
}

// allSubscript is "@" or "*" for [@] and [*].
func allSubscript(index syntax.ArithmExpr) string {
	if index == nil {
		return ""
	}
	switch lit := nodeLit(index); lit {
	case "@", "*":
		return lit
	}
	if word, ok := index.(*syntax.Word); ok && len(word.Parts) == 1 {
		if quoted, ok := word.Parts[0].(*syntax.SglQuoted); ok && (quoted.Value == "@" || quoted.Value == "*") {
			return quoted.Value
		}
	}
	return ""
}

// indirect follows ${!name}.
func (cfg *Config) indirect(pe *syntax.ParamExp, op operand) (operand, error) {
	target := cfg.join(value{elems: op.elems, all: op.all})
	if target == "" {
		if overridingUnset(pe) && op.set {
			return operand{elems: []string{""}}, nil
		}
		if !op.set {
			return op, &ExpansionError{pe.Param.Value + ": invalid indirect expansion"}
		}
		return op, &ExpansionError{": invalid variable name"}
	}
	name, sub, ok := strings.Cut(target, "[")
	if !syntax.ValidName(name) && (ok || !specialName(name)) {
		return op, &ExpansionError{target + ": invalid variable name"}
	}
	if !ok {
		return cfg.operand(name, nil, name == "@" || name == "*")
	}
	index, err := parseSubscript(strings.TrimSuffix(sub, "]"), cfg.Env.Get(name).Kind)
	if err != nil {
		return op, &ExpansionError{target + ": bad array subscript"}
	}
	return cfg.operand(name, index, false)
}

func specialName(name string) bool {
	if _, err := strconv.ParseUint(name, 10, 32); err == nil {
		return true
	}
	return len(name) == 1 && strings.Contains("@*#?-$!", name)
}

func overridingUnset(pe *syntax.ParamExp) bool {
	if pe.Exp == nil {
		return false
	}
	switch pe.Exp.Op {
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull, syntax.DefaultUnset, syntax.DefaultUnsetOrNull,
		syntax.ErrorUnset, syntax.ErrorUnsetOrNull, syntax.AssignUnset, syntax.AssignUnsetOrNull:
		return true
	}
	return false
}

// operateOn applies the operator of an expansion.
func (cfg *Config) operateOn(pe *syntax.ParamExp, op operand) (value, error) {
	v := value{elems: op.elems, all: op.all}
	switch {
	case pe.Length:
		n := len(op.elems)
		if op.all == "" {
			n = utf8.RuneCountInString(op.elems[0])
		}
		return value{elems: []string{strconv.Itoa(n)}}, nil
	case pe.Slice != nil:
		var err error
		v.elems, err = cfg.slice(pe.Slice, op)
		return v, err
	case pe.Repl != nil:
		var err error
		v.elems, err = cfg.replace(pe.Repl, op.elems)
		return v, err
	case pe.Exp == nil:
		return v, nil
	}
	if overridingUnset(pe) {
		return cfg.whenUnset(pe, op)
	}
	if pe.Exp.Op == syntax.OtherParamOps {
		return cfg.transform(pe, op)
	}
	pattern, err := Pattern(cfg, pe.Exp.Word)
	if err != nil {
		return v, err
	}
	switch pe.Exp.Op {
	case syntax.UpperFirst, syntax.UpperAll, syntax.LowerFirst, syntax.LowerAll:
		v.elems = caseConverted(pe.Exp.Op, pattern, op.elems)
	default:
		v.elems = trimmed(pe.Exp.Op, pattern, op.elems)
	}
	return v, nil
}

// whenUnset serves - + = ? and their forms with a colon.
func (cfg *Config) whenUnset(pe *syntax.ParamExp, op operand) (value, error) {
	v := value{elems: op.elems, all: op.all}
	missing := !op.set
	switch pe.Exp.Op {
	case syntax.AlternateUnsetOrNull, syntax.DefaultUnsetOrNull, syntax.ErrorUnsetOrNull, syntax.AssignUnsetOrNull:
		missing = missing || cfg.join(v) == ""
	}
	switch pe.Exp.Op {
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		if missing {
			return value{all: op.all, elems: emptyOf(op)}, nil
		}
		return value{word: wordOf(pe)}, nil
	case syntax.DefaultUnset, syntax.DefaultUnsetOrNull:
		if missing {
			return value{word: wordOf(pe)}, nil
		}
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		if missing {
			message, err := Literal(cfg, pe.Exp.Word)
			if message == "" {
				message = "parameter not set"
				if pe.Exp.Op == syntax.ErrorUnsetOrNull {
					message = "parameter null or not set"
				}
			}
			return v, errors.Join(err, UnsetParameterError{pe, message})
		}
	default:
		if missing {
			return cfg.assignDefault(pe, op)
		}
	}
	return v, nil
}

func emptyOf(op operand) []string {
	if op.all != "" {
		return nil
	}
	return []string{""}
}

func wordOf(pe *syntax.ParamExp) *syntax.Word {
	if pe.Exp.Word == nil {
		return &syntax.Word{}
	}
	return pe.Exp.Word
}

func (cfg *Config) assignDefault(pe *syntax.ParamExp, op operand) (value, error) {
	text, err := Literal(cfg, pe.Exp.Word)
	if err != nil {
		return value{}, err
	}
	if op.all != "" || !syntax.ValidName(op.name) {
		return value{}, &ExpansionError{"$" + op.name + ": cannot assign in this way"}
	}
	if err := cfg.assignElem(op.name, op.vr, op.index, text); err != nil {
		return value{}, err
	}
	return value{elems: []string{text}}, nil
}

func (cfg *Config) namesByPrefix(prefix string) []string {
	found := map[string]bool{}
	for name, vr := range cfg.Env.Each {
		if strings.HasPrefix(name, prefix) {
			found[name] = vr.IsSet()
		}
	}
	maps.DeleteFunc(found, func(_ string, set bool) bool { return !set })
	return slices.Sorted(maps.Keys(found))
}
