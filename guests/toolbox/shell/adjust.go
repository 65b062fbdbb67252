package shell

import (
	"context"
	"fmt"
	"strings"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"capbox/toolbox/commands"
)

// adjust rewrites calls of builtins that the interpreter lacks or has in part; it sees every simple command.
func adjust(ctx context.Context, args []string) ([]string, error) {
	switch args[0] {
	case "printf":
		return adjustPrintf(ctx, args), nil
	case "umask":
		if len(args) == 1 {
			return []string{"echo", "0022"}, nil
		}
		return []string{"true"}, nil
	case "ulimit":
		return []string{"echo", "unlimited"}, nil
	case "disown", "bg":
		return []string{"true"}, nil
	case "jobs", "fg", "history":
		return []string{"true"}, nil
	case "help":
		// The interpreter's help knows its builtins alone; the command knows everything else.
		if len(args) == 1 || !interp.IsBuiltin(args[len(args)-1]) {
			return append([]string{"/usr/bin/help"}, args[1:]...), nil
		}
	case "exec":
		if len(args) > 2 && args[1] == "-a" {
			return append([]string{"exec"}, args[3:]...), nil
		}
	}
	return args, nil
}

// adjustPrintf serves -v, %q and %(format)T, and leaves everything else to the interpreter's printf.
func adjustPrintf(ctx context.Context, args []string) []string {
	rest := args[1:]
	name := ""
	if len(rest) > 2 && rest[0] == "-v" {
		name, rest = rest[1], rest[2:]
	}
	if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return args
	}
	format, words := rest[0], rest[1:]
	special := strings.Contains(format, "%q") || strings.Contains(format, ")T")
	if special {
		format, words = expandSpecial(format, words)
	}
	if name == "" {
		return append([]string{"printf", format}, words...)
	}
	text, err := formatAll(format, words)
	if err != nil {
		fmt.Fprintf(interp.HandlerCtx(ctx).Stderr, "bash: printf: %s\n", err)
		return []string{"false"}
	}
	// The name may have a subscript; only what reads as a name is evaluated.
	base, _, _ := strings.Cut(name, "[")
	if !syntax.ValidName(base) || strings.ContainsAny(name, "$`;&|<>()\n ") {
		fmt.Fprintf(interp.HandlerCtx(ctx).Stderr, "bash: printf: `%s': not a valid identifier\n", name)
		return []string{"false"}
	}
	return []string{"eval", name + "='" + strings.ReplaceAll(text, "'", `'\''`) + "'"}
}

// formatAll repeats the format until the words are used up.
func formatAll(format string, words []string) (string, error) {
	var out strings.Builder
	for {
		text, used, err := expand.Format(nil, format, words)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
		words = words[used:]
		if used == 0 || len(words) == 0 {
			return out.String(), nil
		}
	}
}

// expandSpecial quotes the words of %q and formats the times of %(format)T, and turns both into %s. A format with
// specials is applied once per round of words, as printf does.
func expandSpecial(format string, words []string) (string, []string) {
	var plain strings.Builder
	var kinds []string // "" for other directives, "q", or a time format after "T"
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			plain.WriteByte(format[i])
			continue
		}
		if format[i+1] == '%' {
			plain.WriteString("%%")
			i++
			continue
		}
		end := i + 1
		for end < len(format)-1 && strings.IndexByte("-+ #0123456789.*", format[end]) >= 0 {
			end++
		}
		switch {
		case format[end] == 'q':
			plain.WriteString(format[i:end] + "s")
			kinds = append(kinds, "q")
		case format[end] == '(' && strings.Contains(format[end:], ")T"):
			close := end + strings.Index(format[end:], ")T")
			plain.WriteString("%s")
			kinds = append(kinds, "T"+format[end+1:close])
			end = close + 1
		default:
			plain.WriteString(format[i : end+1])
			kinds = append(kinds, "")
		}
		i = end
	}
	if len(kinds) == 0 {
		return plain.String(), words
	}
	out := append([]string{}, words...)
	for len(out) < len(kinds) {
		out = append(out, "")
	}
	for i := range out {
		kind := kinds[i%len(kinds)]
		switch {
		case kind == "q":
			out[i] = quoteWord(out[i])
		case strings.HasPrefix(kind, "T"):
			out[i] = timeWord(kind[1:], out[i])
		}
	}
	return plain.String(), out
}

func timeWord(format, word string) string {
	when := time.Now().UTC()
	var seconds int64
	if _, err := fmt.Sscan(word, &seconds); err == nil && seconds >= 0 {
		when = time.Unix(seconds, 0).UTC()
	}
	return commands.FormatDate(format, when)
}

// quoteWord quotes as %q does: backslashes for short words, $'...' for control characters.
func quoteWord(word string) string {
	if word == "" {
		return "''"
	}
	if strings.IndexFunc(word, func(r rune) bool { return r < ' ' || r == 127 }) >= 0 {
		quoted, err := syntax.Quote(word, syntax.LangBash)
		if err != nil {
			return "''"
		}
		return quoted
	}
	var out strings.Builder
	for i, r := range word {
		if strings.ContainsRune(" !\"#$&'()*,;<>?[\\]^`{|}~", r) && !(r == '#' && i > 0) && !(r == '~' && i > 0) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}
