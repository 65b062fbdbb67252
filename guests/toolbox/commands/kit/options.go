package kit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Spec describes a command's options as getopt does.
type Spec struct {
	Short  string // letters; "x:" takes a value, "x::" may have one attached
	Long   string // words "name=x" (same as -x), "name" or "name:" (an option without a letter)
	Usage  string // one line after the command's name
	Status int    // status for wrong usage; 0 means 1
	// Ordered stops at the first operand, as env and xargs do: what follows is a command.
	Ordered bool
	// Refused are keys that are known in order to be refused by name.
	Refused []string
}

// Option is one option as given; Key is its letter, or its long name if it has no letter.
type Option struct{ Key, Value string }

// Options is a parsed command line.
type Options struct {
	List     []Option
	Operands []string
}

// Has says whether any of the keys was given.
func (o *Options) Has(keys ...string) bool {
	return slices.ContainsFunc(o.List, func(one Option) bool { return slices.Contains(keys, one.Key) })
}

// Value is the last value given for any of the keys.
func (o *Options) Value(keys ...string) (string, bool) {
	for _, one := range slices.Backward(o.List) {
		if slices.Contains(keys, one.Key) {
			return one.Value, true
		}
	}
	return "", false
}

// Last is which of the keys was given last, or "".
func (o *Options) Last(keys ...string) string {
	for _, one := range slices.Backward(o.List) {
		if slices.Contains(keys, one.Key) {
			return one.Key
		}
	}
	return ""
}

// Parse reads the call's arguments. When the third result is true the command is over with the second as its status.
func (c *Call) Parse(spec Spec) (*Options, int, bool) { return c.ParseWords(spec, c.Args) }

// ParseWords is Parse for other words than the call's own arguments.
func (c *Call) ParseWords(spec Spec, words []string) (*Options, int, bool) {
	p := &optionParser{spec: spec, opts: &Options{}, rest: words}
	problem := p.run()
	switch p.asked {
	case "help":
		c.Out.WriteString(c.Help(spec.Usage, spec.listing()))
		return nil, 0, true
	case "version":
		c.Out.WriteString(c.Version())
		return nil, 0, true
	}
	if problem != "" {
		return nil, c.Usage(max(spec.Status, 1), "%s", problem), true
	}
	return p.opts, 0, false
}

type optionParser struct {
	spec Spec
	opts *Options
	rest []string
	// asked is "help" or "version" once the command line asks for it: it is then read no further.
	asked string
}

func (p *optionParser) run() string {
	for len(p.rest) > 0 {
		arg := p.rest[0]
		p.rest = p.rest[1:]
		switch {
		case arg == "--":
			p.opts.Operands = append(p.opts.Operands, p.rest...)
			return ""
		case strings.HasPrefix(arg, "--"):
			if problem := p.long(arg[2:]); problem != "" || p.asked != "" {
				return problem
			}
		case len(arg) > 1 && arg[0] == '-':
			if problem := p.short(arg[1:]); problem != "" {
				return problem
			}
		default:
			p.opts.Operands = append(p.opts.Operands, arg)
			if p.spec.Ordered {
				p.opts.Operands = append(p.opts.Operands, p.rest...)
				return ""
			}
		}
	}
	return ""
}

func (p *optionParser) short(letters string) string {
	for i, letter := range letters {
		at := strings.IndexRune(p.spec.Short, letter)
		if at < 0 || letter == ':' {
			return fmt.Sprintf("invalid option -- '%c'", letter)
		}
		key, after := string(letter), letters[i+len(string(letter)):]
		kind := p.spec.Short[at+len(key):]
		switch {
		case strings.HasPrefix(kind, "::"):
			p.add(key, after)
			return ""
		case !strings.HasPrefix(kind, ":"):
			p.add(key, "")
		case after != "":
			p.add(key, after)
			return ""
		case len(p.rest) == 0:
			return fmt.Sprintf("option requires an argument -- '%s'", key)
		default:
			p.add(key, p.rest[0])
			p.rest = p.rest[1:]
			return ""
		}
	}
	return ""
}

func (p *optionParser) long(text string) string {
	name, value, given := strings.Cut(text, "=")
	if name == "help" || name == "version" && !p.spec.declares(name) {
		p.asked = name
		return ""
	}
	key, takes, optional, problem := p.spec.Find(name)
	if problem != "" {
		return problem
	}
	switch {
	case !takes && given:
		return fmt.Sprintf("option '--%s' doesn't allow an argument", name)
	case takes && !optional && !given && len(p.rest) == 0:
		return fmt.Sprintf("option '--%s' requires an argument", name)
	case takes && !optional && !given:
		value = p.rest[0]
		p.rest = p.rest[1:]
	}
	p.add(key, value)
	return ""
}

func (p *optionParser) add(key, value string) { p.opts.List = append(p.opts.List, Option{key, value}) }

// declares says whether there is a long option of exactly that name.
func (s Spec) declares(name string) bool {
	return slices.ContainsFunc(strings.Fields(s.Long), func(word string) bool {
		full, _, _ := strings.Cut(word, "=")
		return strings.TrimRight(full, ":") == name
	})
}

// Find resolves a long name, or an unambiguous beginning of one.
func (s Spec) Find(name string) (key string, takes, optional bool, problem string) {
	var matches []string
	for _, word := range strings.Fields(s.Long) {
		full := strings.TrimRight(word[:max(0, strings.IndexAny(word+"=", "="))], ":")
		if full == name {
			matches = []string{word}
			break
		}
		if strings.HasPrefix(full, name) {
			matches = append(matches, word)
		}
	}
	switch len(matches) {
	case 0:
		return "", false, false, fmt.Sprintf("unrecognized option '--%s'", name)
	case 1:
	default:
		return "", false, false, fmt.Sprintf("option '--%s' is ambiguous", name)
	}
	full, letter, same := strings.Cut(matches[0], "=")
	if !same {
		bare := strings.TrimRight(full, ":")
		return bare, bare != full, strings.HasSuffix(full, "::"), ""
	}
	at := strings.Index(s.Short, letter)
	kind := s.Short[at+len(letter):]
	return letter, strings.HasPrefix(kind, ":"), strings.HasPrefix(kind, "::"), ""
}

// listing names every option, for --help.
func (s Spec) listing() string {
	var text strings.Builder
	long := map[string]string{}
	for _, word := range strings.Fields(s.Long) {
		if full, letter, same := strings.Cut(word, "="); same {
			long[letter] = full
		} else {
			long["--"+word] = strings.TrimRight(word, ":")
		}
	}
	for i := 0; i < len(s.Short); i++ {
		letter := string(s.Short[i])
		if letter == ":" || slices.Contains(s.Refused, letter) {
			continue
		}
		value := ""
		if i+1 < len(s.Short) && s.Short[i+1] == ':' {
			value = " VALUE"
		}
		fmt.Fprintf(&text, "  -%s%s", letter, value)
		if long[letter] != "" {
			fmt.Fprintf(&text, ", --%s", long[letter])
		}
		text.WriteByte('\n')
	}
	for _, word := range strings.Fields(s.Long) {
		if name := strings.TrimRight(word, ":"); !strings.Contains(word, "=") && !slices.Contains(s.Refused, name) {
			fmt.Fprintf(&text, "  --%s\n", name)
		}
	}
	if len(s.Refused) > 0 {
		text.WriteString("Not supported:")
		for _, key := range s.Refused {
			fmt.Fprintf(&text, " %s", dashed(key))
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// Width reads a positive number for a key, or gives the usual one.
func (o *Options) Width(key string, usual int) (int, bool) {
	text, ok := o.Value(key)
	if !ok {
		return usual, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n > 0
}

// PaddingMax bounds the blanks that one number of an option may ask for.
const PaddingMax = 64 << 10
