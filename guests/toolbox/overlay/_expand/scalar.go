package expand

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// tilde expands ~, ~+, ~- and ~user at the start of a word.
func (cfg *Config) tilde(text string, more bool) (prefix, rest string) {
	if !strings.HasPrefix(text, "~") {
		return "", text
	}
	for sign, name := range map[string]string{"~+": "PWD", "~-": "OLDPWD"} {
		if rest, ok := strings.CutPrefix(text, sign); ok && (rest == "" && !more || strings.HasPrefix(rest, "/")) {
			if vr := cfg.Env.Get(name); vr.IsSet() {
				return vr.Str, rest
			}
		}
	}
	return cfg.expandUser(text, more)
}

// wordField expands a word where there are no fields: the value of an assignment, a pattern, a here-document.
func (cfg *Config) wordField(parts []syntax.WordPart, ql quoteLevel) ([]fieldPart, error) {
	var field []fieldPart
	for i, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			field = append(field, cfg.litField(part.Value, ql, i == 0, len(parts) > 1)...)
		case *syntax.SglQuoted:
			field = append(field, fieldPart{singleQuoted(part), quoteSingle})
		case *syntax.DblQuoted:
			inner, err := cfg.wordField(part.Parts, quoteDouble)
			if err != nil {
				return nil, err
			}
			for _, one := range inner {
				field = append(field, fieldPart{one.val, quoteDouble})
			}
		case *syntax.ParamExp:
			more, err := cfg.paramField(part, ql)
			if err != nil {
				return nil, err
			}
			field = append(field, more...)
		default:
			text, err := cfg.otherPart(part)
			if err != nil {
				return nil, err
			}
			field = append(field, fieldPart{val: text})
		}
	}
	return field, nil
}

// paramField is an expansion where there are no fields. The quotes in the word of ${x:-word} count.
func (cfg *Config) paramField(pe *syntax.ParamExp, ql quoteLevel) ([]fieldPart, error) {
	v, err := cfg.param(pe)
	if err != nil {
		return nil, err
	}
	if v.word == nil {
		return []fieldPart{{val: cfg.join(v)}}, nil
	}
	if ql == quoteNone {
		return cfg.wordField(v.word.Parts, quoteNone)
	}
	text, err := cfg.defaultWord(v.word)
	return []fieldPart{{val: text}}, err
}

// litField is a literal; which backslashes count depends on the quotes around it.
func (cfg *Config) litField(text string, ql quoteLevel, first, more bool) []fieldPart {
	text, _, _ = strings.Cut(text, "\x00")
	if ql == quoteNone {
		s := splitter{cfg: cfg}
		pieces := []string{text}
		if cfg.assigning {
			pieces = strings.SplitAfter(text, ":")
		}
		for i, piece := range pieces {
			piece, colon := strings.CutSuffix(piece, ":")
			s.literal(piece, first || i > 0, more && i == len(pieces)-1, false)
			if colon {
				s.add(":", quoteNone)
			}
		}
		return s.field
	}
	if strings.IndexByte(text, '\\') < 0 {
		return []fieldPart{{val: text}}
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			if next := text[i+1]; next == '\\' || next == '$' || next == '`' || next == '"' && ql == quoteDouble {
				i++
			}
		}
		b.WriteByte(text[i])
	}
	return []fieldPart{{val: b.String()}}
}

// AssignedLiteral is the value of an assignment, where a ~ after a colon counts too.
func AssignedLiteral(cfg *Config, word *syntax.Word) (string, error) {
	cfg = prepareConfig(cfg)
	cfg.assigning = true
	defer func() { cfg.assigning = false }()
	return Literal(cfg, word)
}
