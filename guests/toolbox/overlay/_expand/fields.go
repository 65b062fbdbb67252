package expand

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// splitter makes the fields of one word.
type splitter struct {
	cfg        *Config
	fields     [][]fieldPart
	field      []fieldPart
	allowEmpty bool // whether something quoted stands in the word, so that it is a field even if empty
	afterSpace bool // whether white space of IFS ended the last field: a separator may still follow it
}

// fieldsMax bounds what one word may become.
const fieldsMax = 1 << 20

// wordFields expands a word to fields.
func (cfg *Config) wordFields(parts []syntax.WordPart) ([][]fieldPart, error) {
	s := splitter{cfg: cfg, fields: cfg.fieldsAlloc[:0], field: cfg.fieldAlloc[:0]}
	for i, part := range parts {
		if lit, ok := part.(*syntax.Lit); ok {
			s.literal(lit.Value, i == 0, len(parts) > 1, false)
			continue
		}
		if err := s.part(part); err != nil {
			return nil, err
		}
	}
	s.flush()
	if s.allowEmpty && len(s.fields) == 0 {
		s.fields = append(s.fields, s.field)
	}
	return s.fields, nil
}

func (s *splitter) flush() {
	if len(s.field) > 0 {
		s.fields = append(s.fields, s.field)
		s.field = nil
	}
}

func (s *splitter) add(text string, quote quoteLevel) {
	s.field = append(s.field, fieldPart{val: text, quote: quote})
}

// literal adds text of the script: what a backslash precedes is quoted.
func (s *splitter) literal(text string, first, more, split bool) {
	if first {
		prefix, rest := s.cfg.tilde(text, more)
		if prefix != "" {
			s.add(prefix, quoteSingle)
		}
		text = rest
	}
	plain := func(text string) {
		if split {
			s.split(text)
		} else if text != "" {
			s.add(text, quoteNone)
		}
	}
	for {
		at := strings.IndexByte(text, '\\')
		if at < 0 || at == len(text)-1 {
			break
		}
		_, size := utf8.DecodeRuneInString(text[at+1:])
		plain(text[:at])
		s.add(text[at+1:at+1+size], quoteSingle)
		text = text[at+1+size:]
	}
	plain(text)
}

// split adds what an expansion gave, and starts new fields at IFS. White space around a separator belongs to it.
func (s *splitter) split(text string) {
	start := -1
	for i, r := range text {
		if !s.cfg.ifsRune(r) {
			if start < 0 {
				start = i
			}
			s.afterSpace = false
			continue
		}
		if start >= 0 {
			s.add(text[start:i], quoteNone)
			start = -1
		}
		ended := len(s.field) > 0
		s.flush()
		switch {
		case r == ' ' || r == '\t' || r == '\n':
			s.afterSpace = s.afterSpace || ended
		case ended || s.afterSpace:
			s.afterSpace = false
		default:
			s.fields = append(s.fields, []fieldPart{{}})
		}
	}
	if start >= 0 {
		s.add(text[start:], quoteNone)
	}
}

// part adds anything but a literal, outside quotes.
func (s *splitter) part(part syntax.WordPart) error {
	switch part := part.(type) {
	case *syntax.SglQuoted:
		s.allowEmpty = true
		s.add(singleQuoted(part), quoteSingle)
	case *syntax.DblQuoted:
		return s.doubleQuoted(part.Parts)
	case *syntax.ParamExp:
		return s.parameter(part)
	case *syntax.CmdSubst:
		text, err := s.cfg.cmdSubst(part)
		if err != nil {
			return err
		}
		s.split(text)
	case *syntax.ProcSubst:
		path, err := s.cfg.ProcSubst(part)
		if err != nil {
			return err
		}
		s.add(path, quoteSingle)
	case *syntax.ExtGlob:
		if !s.cfg.ExtGlob {
			return &ExpansionError{"syntax error near unexpected token `('"}
		}
		text, err := s.cfg.extGlob(part)
		if err != nil {
			return err
		}
		s.add(text, quoteNone)
	default:
		text, err := s.cfg.otherPart(part)
		if err != nil {
			return err
		}
		s.split(text)
	}
	return nil
}

// parameter adds an unquoted expansion of a parameter.
func (s *splitter) parameter(pe *syntax.ParamExp) error {
	v, err := s.cfg.param(pe)
	if err != nil {
		return err
	}
	if v.word != nil {
		for i, part := range v.word.Parts {
			if lit, ok := part.(*syntax.Lit); ok {
				s.literal(lit.Value, i == 0, len(v.word.Parts) > 1, true)
			} else if err := s.part(part); err != nil {
				return err
			}
		}
		return nil
	}
	if len(v.elems) > fieldsMax {
		return &ExpansionError{"expansion too large"}
	}
	for i, elem := range v.elems {
		if i > 0 {
			s.flush()
			s.afterSpace = false
		}
		s.split(elem)
	}
	return nil
}

// doubleQuoted adds what stands in double quotes: one text, but "$@" and "${a[@]}" start new fields.
func (s *splitter) doubleQuoted(parts []syntax.WordPart) error {
	before, fields := len(s.field), len(s.fields)
	vanished, err := s.quotedParts(parts)
	if err != nil {
		return err
	}
	if len(s.field) == before && len(s.fields) == fields && !vanished {
		s.add("", quoteDouble)
	}
	s.allowEmpty = s.allowEmpty || !vanished
	return nil
}

// quotedParts adds the parts inside double quotes; vanished says that all of it was an empty list.
func (s *splitter) quotedParts(parts []syntax.WordPart) (vanished bool, err error) {
	vanished = len(parts) > 0
	for _, part := range parts {
		pe, ok := part.(*syntax.ParamExp)
		if !ok {
			vanished = false
			field, err := s.cfg.wordField([]syntax.WordPart{part}, quoteDouble)
			if err != nil {
				return false, err
			}
			for _, one := range field {
				s.add(one.val, quoteDouble)
			}
			continue
		}
		v, err := s.cfg.param(pe)
		if err != nil {
			return false, err
		}
		switch {
		case v.word != nil:
			if _, err := s.quotedWord(v.word.Parts); err != nil {
				return false, err
			}
			vanished = false
		case v.all == "@":
			vanished = vanished && len(v.elems) == 0
			for i, elem := range v.elems {
				if i > 0 {
					s.flush()
				}
				s.add(elem, quoteDouble)
			}
		default:
			vanished = false
			s.add(s.cfg.join(v), quoteDouble)
		}
	}
	return vanished, nil
}

// quotedWord adds the word of "${x:-word}": single quotes are plain characters there, double quotes go on quoting.
func (s *splitter) quotedWord(parts []syntax.WordPart) (vanished bool, err error) {
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.SglQuoted:
			if part.Dollar {
				s.add(singleQuoted(part), quoteDouble)
			} else {
				s.add("'"+part.Value+"'", quoteDouble)
			}
		case *syntax.DblQuoted:
			if _, err := s.quotedParts(part.Parts); err != nil {
				return false, err
			}
		default:
			if _, err := s.quotedParts([]syntax.WordPart{part}); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

func singleQuoted(part *syntax.SglQuoted) string {
	if !part.Dollar {
		return part.Value
	}
	text, _ := Escapes(part.Value, QuoteEscapes)
	text, _, _ = strings.Cut(text, "\x00")
	return text
}

// otherPart is a part that is one text whatever surrounds it.
func (cfg *Config) otherPart(part syntax.WordPart) (string, error) {
	switch part := part.(type) {
	case *syntax.ArithmExp:
		n, err := Arithm(cfg, part.X)
		return strconv.Itoa(n), err
	case *syntax.CmdSubst:
		return cfg.cmdSubst(part)
	case *syntax.ProcSubst:
		return cfg.ProcSubst(part)
	case *syntax.ExtGlob:
		return cfg.extGlob(part)
	}
	return "", &ExpansionError{"bad substitution"}
}

// extGlob is the text of an extended pattern; the parser leaves the expansions in it alone.
func (cfg *Config) extGlob(part *syntax.ExtGlob) (string, error) {
	inner := part.Pattern.Value
	if strings.ContainsAny(inner, "$`") {
		word, err := syntax.NewParser().Document(strings.NewReader(inner))
		if err != nil {
			return "", &ExpansionError{"bad substitution"}
		}
		if inner, err = Document(cfg, word); err != nil {
			return "", err
		}
	}
	inner = strings.NewReplacer(`"`, "", `'`, "").Replace(inner)
	return part.Op.String() + inner + ")", nil
}
