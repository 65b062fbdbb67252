package expand

import (
	"errors"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/internal"
	"mvdan.cc/sh/v3/syntax"
)

// arrayKey is the key that a subscript of an associative array means. The parser reads subscripts as arithmetic, so
// `m[a-b]` has to be put together again.
func (cfg *Config) arrayKey(index syntax.ArithmExpr) (string, error) {
	switch index := index.(type) {
	case nil:
		return "0", nil
	case *syntax.Word:
		return Literal(cfg, index)
	case *syntax.ParenArithm:
		key, err := cfg.arrayKey(index.X)
		return "(" + key + ")", err
	case *syntax.UnaryArithm:
		key, err := cfg.arrayKey(index.X)
		if index.Post {
			return key + index.Op.String(), err
		}
		return index.Op.String() + key, err
	case *syntax.BinaryArithm:
		left, err := cfg.arrayKey(index.X)
		if err != nil {
			return "", err
		}
		right, err := cfg.arrayKey(index.Y)
		op := index.Op.String()
		return left + gap(index.X.End(), index.OpPos) + op + gapAfter(index.OpPos, len(op), index.Y.Pos()) + right, err
	}
	return "", errors.New("bad array subscript")
}

// ArrayKey is arrayKey for the interpreter.
func ArrayKey(cfg *Config, index syntax.ArithmExpr) (string, error) {
	return prepareConfig(cfg).arrayKey(index)
}

// parseSubscript reads the text between [ and ] of a word such as a[1], which is not expanded again.
func parseSubscript(sub string, kind ValueKind) (syntax.ArithmExpr, error) {
	if kind == Associative || sub == "@" || sub == "*" {
		return &syntax.Word{Parts: []syntax.WordPart{&syntax.SglQuoted{Value: sub}}}, nil
	}
	expr, err := syntax.NewParser().Arithmetic(strings.NewReader(sub))
	if err != nil || expr == nil {
		return nil, errors.New("[" + sub + "]: bad array subscript")
	}
	return expr, nil
}

// AssignElement sets name, or name[sub] if there is a subscript.
func AssignElement(cfg *Config, name, sub string, subscripted bool, value string) error {
	cfg = prepareConfig(cfg)
	vr := cfg.Env.Get(name)
	if to, v := vr.Resolve(cfg.Env); to != "" {
		name, vr = to, v
	}
	if !subscripted {
		return cfg.assignElem(name, vr, nil, value)
	}
	index, err := parseSubscript(sub, vr.Kind)
	if err != nil {
		return errors.New(name + err.Error())
	}
	return cfg.assignElem(name, vr, index, value)
}

// ElementSet says whether the variable, or the element, that a word names is set: [[ -v word ]].
func ElementSet(cfg *Config, word string) bool {
	cfg = prepareConfig(cfg)
	name, sub, subscripted := strings.Cut(word, "[")
	if name == "" || (subscripted && !strings.HasSuffix(sub, "]")) {
		return false
	}
	vr := cfg.Env.Get(name)
	if _, v := vr.Resolve(cfg.Env); vr.Kind == NameRef {
		vr = v
	}
	if !subscripted {
		_, set, err := cfg.varInd(vr, nil)
		return err == nil && set && vr.IsSet()
	}
	sub = strings.TrimSuffix(sub, "]")
	if (sub == "@" || sub == "*") && vr.Kind != Associative {
		return len(vr.List) > 0 || vr.Kind == String && vr.Set
	}
	if sub = unquoted(sub); sub == "@" && vr.Kind == Associative {
		return len(vr.Map) > 0
	}
	index, err := parseSubscript(sub, vr.Kind)
	if err != nil {
		return false
	}
	_, set, err := cfg.varInd(vr, index)
	return err == nil && set
}

func unquoted(sub string) string {
	if len(sub) > 1 && (sub[0] == '"' || sub[0] == '\'') && sub[len(sub)-1] == sub[0] {
		return sub[1 : len(sub)-1]
	}
	return sub
}

// elementIndex resolves a subscript, where negative ones count from the end.
func (cfg *Config) elementIndex(vr Variable, index syntax.ArithmExpr) (int, error) {
	i, err := Arithm(cfg, index)
	if err != nil {
		return 0, err
	}
	if i < 0 {
		if i += internal.IndexedMax(vr.List, vr.Indexes) + 1; i < 0 {
			return 0, &SubscriptError{"[" + cfg.arithmSource(index) + "]"}
		}
	}
	return i, nil
}

// SubscriptError is a subscript before the beginning of an array.
type SubscriptError struct{ Subscript string }

func (e *SubscriptError) Error() string { return e.Subscript + ": bad array subscript" }

// Element is the value of name[index]; index may be nil.
func Element(cfg *Config, name string, index syntax.ArithmExpr) string {
	cfg = prepareConfig(cfg)
	op, err := cfg.operand(name, index, false)
	if err != nil || len(op.elems) == 0 {
		return ""
	}
	return op.elems[0]
}

// AssignIndex sets name[index].
func AssignIndex(cfg *Config, name string, index syntax.ArithmExpr, value string) error {
	cfg = prepareConfig(cfg)
	vr := cfg.Env.Get(name)
	if to, v := vr.Resolve(cfg.Env); to != "" {
		name, vr = to, v
	}
	if all := allSubscript(index); all != "" && vr.Kind != Associative {
		return &SubscriptError{"[" + all + "]"}
	}
	return cfg.assignElem(name, vr, index, value)
}

// RegexpWord expands the right side of [[ =~ ]]: what is quoted stands for itself.
func RegexpWord(cfg *Config, word *syntax.Word) (string, error) {
	cfg = prepareConfig(cfg)
	var out strings.Builder
	for _, part := range word.Parts {
		if lit, ok := part.(*syntax.Lit); ok {
			out.WriteString(lit.Value)
			continue
		}
		field, err := cfg.wordField([]syntax.WordPart{part}, quoteNone)
		if err != nil {
			return "", err
		}
		for _, one := range field {
			if one.quote > quoteNone {
				out.WriteString(regexp.QuoteMeta(one.val))
			} else {
				out.WriteString(one.val)
			}
		}
	}
	return strings.NewReplacer(`\<`, `\b`, `\>`, `\b`).Replace(out.String()), nil
}
