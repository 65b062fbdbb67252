// Package calendar reads and writes points in time as date, touch, find, ls and awk do.
//
// It carries the database of time zones with it: where guests run there is none.
package calendar

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"capbox/toolbox/commands/kit"
)

// dateField is one conversion of strftime before flags: a number with its usual width and filling, or a text.
type dateField struct {
	text  string
	width int
	fill  byte // '0' or ' ' for numbers, 0 for texts
}

// composed conversions stand for several others.
var composed = map[byte]string{
	'c': "%a %b %e %H:%M:%S %Y", 'D': "%m/%d/%y", 'F': "%Y-%m-%d", 'r': "%I:%M:%S %p", 'R': "%H:%M", 'T': "%H:%M:%S",
	'x': "%m/%d/%y", 'X': "%H:%M:%S", '+': "%a %b %e %H:%M:%S %Z %Y",
}

// Format is strftime with GNU's flags - 0 _ ^ # + and widths.
func Format(format string, t time.Time) string {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			out.WriteByte(format[i])
			continue
		}
		start := i
		for i++; i < len(format)-1 && strings.IndexByte("-0_^#+", format[i]) >= 0; i++ {
		}
		flags := format[start+1 : i]
		digits := i
		for i < len(format)-1 && format[i] >= '0' && format[i] <= '9' {
			i++
		}
		width, _ := strconv.Atoi(format[digits:i])
		for i < len(format)-1 && (format[i] == 'E' || format[i] == 'O') {
			i++
		}
		colons := 0
		for i < len(format)-1 && format[i] == ':' && colons < 3 {
			colons++
			i++
		}
		if colons > 0 && format[i] != 'z' {
			out.WriteString(format[start : i+1])
			continue
		}
		text, ok := convertDate(format[i], colons, flags, min(width, kit.PaddingMax), t)
		if !ok {
			text = format[start : i+1]
		}
		out.WriteString(text)
	}
	return out.String()
}

// convertDate is one conversion with its flags and width; false for a letter that is none.
func convertDate(letter byte, colons int, flags string, width int, t time.Time) (string, bool) {
	if letter == 'N' {
		return nanoseconds(t, flags, width), true
	}
	var field dateField
	if format, ok := composed[letter]; ok {
		field.text = Format(format, t)
	} else if field, ok = dateNumber(letter, t); !ok {
		if field, ok = dateText(letter, colons, t); !ok {
			return "", false
		}
	}
	for _, flag := range flags {
		switch flag {
		case '-':
			field.width = 0
		case '_':
			field.fill = ' '
		case '0', '+':
			field.fill = '0'
		case '^':
			field.text = strings.ToUpper(field.text)
		case '#':
			field.text = opposite(letter, field.text)
		}
	}
	if width > 0 {
		field.width = width
	}
	fill := " "
	if field.fill != 0 {
		fill = string(field.fill)
	}
	sign := ""
	if fill == "0" && strings.HasPrefix(field.text, "-") {
		sign, field.text = "-", field.text[1:]
	}
	return sign + strings.Repeat(fill, max(0, field.width-len(sign)-len(field.text))) + field.text, true
}

// opposite is the flag #: am and zones become small, names become capitals.
func opposite(letter byte, text string) string {
	if letter == 'p' || letter == 'Z' {
		return strings.ToLower(text)
	}
	return strings.ToUpper(text)
}

func nanoseconds(t time.Time, flags string, width int) string {
	text := fmt.Sprintf("%09d", t.Nanosecond())
	switch {
	case strings.Contains(flags, "-") && width == 0:
		return strings.TrimRight(text, "0")
	case width > 9:
		return text + strings.Repeat("0", width-9)
	case width > 0:
		return text[:width]
	}
	return text
}

// dateNumber is a conversion that gives a number.
func dateNumber(letter byte, t time.Time) (dateField, bool) {
	year, week := t.ISOWeek()
	weekday, hour12 := int(t.Weekday()), (t.Hour()+11)%12+1
	n, width, fill := 0, 2, byte('0')
	switch letter {
	case 'C':
		n = t.Year() / 100
	case 'd':
		n = t.Day()
	case 'e':
		n, fill = t.Day(), ' '
	case 'g':
		n = year % 100
	case 'G':
		n, width = year, 4
	case 'H':
		n = t.Hour()
	case 'I':
		n = hour12
	case 'j':
		n, width = t.YearDay(), 3
	case 'k':
		n, fill = t.Hour(), ' '
	case 'l':
		n, fill = hour12, ' '
	case 'm':
		n = int(t.Month())
	case 'M':
		n = t.Minute()
	case 'q':
		n, width = (int(t.Month())+2)/3, 1
	case 's':
		n, width = int(t.Unix()), 1
	case 'S':
		n = t.Second()
	case 'u':
		n, width = (weekday+6)%7+1, 1
	case 'U':
		n = (t.YearDay() + 6 - weekday) / 7
	case 'V':
		n = week
	case 'w':
		n, width = weekday, 1
	case 'W':
		n = (t.YearDay() + 6 - (weekday+6)%7) / 7
	case 'y':
		n = t.Year() % 100
	case 'Y':
		n, width = t.Year(), 4
	default:
		return dateField{}, false
	}
	return dateField{strconv.Itoa(n), width, fill}, true
}

// dateText is a conversion that gives a name, a zone or a sign.
func dateText(letter byte, colons int, t time.Time) (dateField, bool) {
	layouts := map[byte]string{'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January", 'p': "PM", 'P': "pm", 'Z': "MST"}
	if layout, ok := layouts[letter]; ok {
		return dateField{text: t.Format(layout)}, true
	}
	switch letter {
	case '%':
		return dateField{text: "%"}, true
	case 'n':
		return dateField{text: "\n"}, true
	case 't':
		return dateField{text: "\t"}, true
	case 'z':
		return dateField{text: t.Format([]string{"-0700", "-07:00", "-07:00:00", "-07"}[colons])}, true
	}
	return dateField{}, false
}
