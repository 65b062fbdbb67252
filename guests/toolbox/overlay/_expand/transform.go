package expand

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"mvdan.cc/sh/v3/syntax"
)

// transform serves ${x@Q} and the other letters.
func (cfg *Config) transform(pe *syntax.ParamExp, op operand) (value, error) {
	v := value{all: op.all}
	letter := nodeLit(pe.Exp.Word)
	switch letter {
	case "A":
		return value{elems: cfg.recreation(op), all: ""}, nil
	case "a":
		flags := op.orig.Flags()
		if op.all == "" {
			v.elems = []string{flags}
		} else {
			for range op.elems {
				v.elems = append(v.elems, flags)
			}
		}
		return v, nil
	case "K", "k":
		if op.all != "" && (op.vr.Kind == Indexed || op.vr.Kind == Associative) {
			return keyed(op, letter), nil
		}
		letter = "Q"
	}
	if !op.set && op.all == "" {
		return value{elems: []string{""}}, nil
	}
	for _, elem := range op.elems {
		text, err := cfg.transformed(letter, elem)
		if err != nil {
			return v, err
		}
		v.elems = append(v.elems, text)
	}
	return v, nil
}

func (cfg *Config) transformed(letter, text string) (string, error) {
	switch letter {
	case "Q":
		return QuoteSingle(text), nil
	case "E":
		out, _ := Escapes(text, QuoteEscapes)
		return out, nil
	case "U":
		return strings.ToUpper(text), nil
	case "L":
		return strings.ToLower(text), nil
	case "u":
		runes := []rune(text)
		if len(runes) > 0 {
			runes[0] = unicode.ToUpper(runes[0])
		}
		return string(runes), nil
	case "P":
		return cfg.prompt(text), nil
	}
	return "", &ExpansionError{"bad substitution"}
}

// keyed lists keys and values: as words for k, as text that can be assigned for K.
func keyed(op operand, letter string) value {
	keys, values := op.vr.keys(), op.vr.values()
	if letter == "k" {
		v := value{all: op.all}
		for i, key := range keys {
			v.elems = append(v.elems, key, values[i])
		}
		return v
	}
	var out strings.Builder
	for i, key := range keys {
		if op.vr.Kind == Associative {
			key = QuoteKey(key)
		}
		if i > 0 && op.vr.Kind == Indexed {
			out.WriteByte(' ')
		}
		out.WriteString(key + " " + QuoteDouble(values[i]))
		if op.vr.Kind == Associative {
			out.WriteByte(' ')
		}
	}
	return value{elems: []string{out.String()}}
}

// recreation is ${x@A}: a statement that makes the variable again.
func (cfg *Config) recreation(op operand) []string {
	flags := op.vr.Flags()
	switch {
	case op.all != "" && (op.vr.Kind == Indexed || op.vr.Kind == Associative):
		return []string{Declaration(op.name, op.vr)}
	case op.all != "":
		var out []string
		for _, elem := range op.elems {
			out = append(out, QuoteSingle(elem))
		}
		return []string{"set -- " + strings.Join(out, " ")}
	case !op.set && flags == "":
		return []string{""}
	case flags == "":
		return []string{op.name + "=" + QuoteSingle(op.elems[0])}
	case !op.set:
		return []string{"declare -" + flags + " " + op.name}
	}
	return []string{"declare -" + flags + " " + op.name + "=" + QuoteSingle(op.elems[0])}
}

// Declaration is the line that declare -p prints.
func Declaration(name string, vr Variable) string {
	flags := vr.Flags()
	if flags == "" {
		flags = "-"
	}
	head := fmt.Sprintf("declare -%s %s", flags, name)
	if !vr.Set {
		return head
	}
	return head + "=" + Assigned(vr)
}

// Assigned is the value of a variable as an assignment writes it.
func Assigned(vr Variable) string {
	var out strings.Builder
	switch vr.Kind {
	case Indexed:
		for i, key := range vr.indexedKeys() {
			if i > 0 {
				out.WriteByte(' ')
			}
			out.WriteString("[" + key + "]=" + QuoteDouble(vr.List[i]))
		}
		return "(" + out.String() + ")"
	case Associative:
		for _, key := range slices.Sorted(maps.Keys(vr.Map)) {
			out.WriteString("[" + QuoteKey(key) + "]=" + QuoteDouble(vr.Map[key]) + " ")
		}
		return "(" + out.String() + ")"
	}
	return QuoteDouble(vr.Str)
}

// prompt expands the backslashes of a prompt that do not need a terminal.
func (cfg *Config) prompt(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		i++
		switch text[i] {
		case 'u':
			out.WriteString(cfg.envGet("USER"))
		case 'h', 'H':
			out.WriteString(cfg.envGet("HOSTNAME"))
		case 'w', 'W':
			dir := cfg.envGet("PWD")
			if rest, ok := strings.CutPrefix(dir, cfg.envGet("HOME")); ok && cfg.envGet("HOME") != "" {
				dir = "~" + rest
			}
			if text[i] == 'W' {
				dir = dir[strings.LastIndexByte(dir, '/')+1:]
			}
			out.WriteString(dir)
		case '$':
			out.WriteByte('$')
		case 's':
			out.WriteString("bash")
		case 'n':
			out.WriteByte('\n')
		case '\\':
			out.WriteByte('\\')
		case '[', ']':
		default:
			out.WriteString(text[i-1 : i+1])
		}
	}
	return out.String()
}
