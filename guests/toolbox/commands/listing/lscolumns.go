package listing

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"capbox/toolbox/commands/kit"
)

// sideBySide prints names in columns, within the width that -w or COLUMNS gives.
func (l *lister) sideBySide(all []listed, byRow bool) {
	width := 80
	for _, text := range []string{l.c.Env()["COLUMNS"], optionText(l.opts, "w")} {
		if n, err := strconv.Atoi(text); err == nil && n > 0 {
			width = min(n, kit.PaddingMax)
		}
	}
	labels := make([]string, len(all))
	for i, one := range all {
		labels[i] = strings.Join(append(l.row(one), l.label(one)), " ")
	}
	l.columns(labels, width, byRow)
}

// optionText is the value of an option, or "".
func optionText(o *kit.Options, key string) string {
	value, _ := o.Value(key)
	return value
}

// columns prints labels side by side within a width, down the columns or along the rows, as ls -C and -x do: as many
// columns as fit, each as wide as its longest label and two blanks.
func (l *lister) columns(labels []string, width int, byRow bool) {
	if len(labels) == 0 {
		return
	}
	for across := min(len(labels), max(1, width/3)); ; across-- {
		down := (len(labels) + across - 1) / across
		if !byRow {
			across = (len(labels) + down - 1) / down
		}
		widths, total := make([]int, across), 0
		for i, label := range labels {
			column := i / down
			if byRow {
				column = i % across
			}
			size := utf8.RuneCountInString(label)
			if column < across-1 {
				size += 2
			}
			widths[column] = max(widths[column], size)
		}
		for _, one := range widths {
			total += one
		}
		if across == 1 || total < width {
			l.grid(labels, widths, down, byRow)
			return
		}
	}
}

func (l *lister) grid(labels []string, widths []int, down int, byRow bool) {
	for row := range down {
		at, start := 0, 0
		for column := range widths {
			i := row + column*down
			if byRow {
				i = row*len(widths) + column
			}
			if i >= len(labels) {
				break
			}
			if column > 0 {
				l.indent(at, start)
			}
			l.c.Out.WriteString(labels[i])
			at = start + utf8.RuneCountInString(labels[i])
			start += widths[column]
		}
		l.c.Out.WriteByte('\n')
	}
}

// indent goes from a column to another: by tabs where one leads further than a blank.
func (l *lister) indent(from, to int) {
	for from < to {
		if to/8 > (from+1)/8 {
			l.c.Out.WriteByte('\t')
			from += 8 - from%8
		} else {
			l.c.Out.WriteByte(' ')
			from++
		}
	}
}

// shown is a name as -b, -Q and -q want it.
func (l *lister) shown(name string) string {
	quoted, escaped, hidden := l.opts.Has("Q"), l.opts.Has("b"), l.opts.Has("q")
	style, _ := l.opts.Value("quoting-style")
	quoted, escaped = quoted || style == "c", escaped || style == "escape"
	switch {
	case style == "shell-always" || style == "shell-escape-always":
		return shellQuote(name)
	case !quoted && !escaped && !hidden:
		return name
	}
	var out strings.Builder
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		graphic := (r != utf8.RuneError || size > 1) && unicode.IsPrint(r)
		switch {
		case quoted && r == '"':
			out.WriteString(`\"`)
		case (quoted || escaped) && r == '\\':
			out.WriteString(`\\`)
		case escaped && r == ' ':
			out.WriteString(`\ `)
		case graphic:
			out.WriteString(name[i : i+size])
		case hidden && !quoted && !escaped:
			out.WriteByte('?')
		case strings.ContainsRune("\a\b\f\n\r\t\v", r):
			out.WriteString(`\` + string("abfnrtv"[strings.IndexRune("\a\b\f\n\r\t\v", r)]))
		default:
			for _, b := range []byte(name[i : i+size]) {
				fmt.Fprintf(&out, `\%03o`, b)
			}
		}
		i += size
	}
	if quoted {
		return `"` + out.String() + `"`
	}
	return out.String()
}
