package commands

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func date(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "d:f:I::r:Rs:u", Usage: "[OPTION]... [+FORMAT]",
		Long: "date=d iso-8601=I reference=r rfc-email=R rfc-2822=R set=s utc=u universal=u rfc-3339:",
	})
	if done {
		return status
	}
	zone := time.UTC
	when := time.Now().In(zone)
	if text, ok := opts.Value("d"); ok {
		parsed, ok := parseDate(text, when)
		if !ok {
			return c.Fail("invalid date '%s'", text)
		}
		when = parsed.In(zone)
	}
	if name, ok := opts.Value("r"); ok {
		info, err := c.Stat(name)
		if err != nil {
			return c.FailPath(name, err)
		}
		when = info.ModTime().In(zone)
	}
	if opts.Has("s") {
		return c.Fail("cannot set date: Operation not permitted")
	}
	format := "%a %b %e %H:%M:%S %Z %Y"
	if text, ok := opts.Value("I"); ok {
		format = map[string]string{
			"": "%Y-%m-%d", "date": "%Y-%m-%d", "hours": "%Y-%m-%dT%H%:z", "minutes": "%Y-%m-%dT%H:%M%:z",
			"seconds": "%Y-%m-%dT%H:%M:%S%:z", "ns": "%Y-%m-%dT%H:%M:%S,%N%:z",
		}[text]
	}
	if opts.Has("R") {
		format = "%a, %d %b %Y %H:%M:%S %z"
	}
	if text, ok := opts.Value("rfc-3339"); ok {
		format = map[string]string{"date": "%Y-%m-%d", "ns": "%Y-%m-%d %H:%M:%S.%N%:z"}[text]
		if format == "" {
			format = "%Y-%m-%d %H:%M:%S%:z"
		}
	}
	for _, operand := range opts.Operands {
		if !strings.HasPrefix(operand, "+") {
			return c.Fail("invalid date '%s'", operand)
		}
		format = operand[1:]
	}
	c.Out.Line(FormatDate(format, when))
	return 0
}

// layouts are Go's words for strftime's letters.
var layouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'h': "Jan", 'c': "Mon Jan _2 15:04:05 2006",
	'd': "02", 'D': "01/02/06", 'e': "_2", 'F': "2006-01-02", 'H': "15", 'I': "03", 'm': "01", 'M': "04",
	'p': "PM", 'P': "pm", 'r': "03:04:05 PM", 'R': "15:04", 'S': "05", 'T': "15:04:05", 'x': "01/02/06",
	'X': "15:04:05", 'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
}

// FormatDate is strftime with GNU's flags - 0 _ ^.
func FormatDate(format string, t time.Time) string {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			out.WriteByte(format[i])
			continue
		}
		i++
		flag := byte(0)
		if strings.IndexByte("-0_^#", format[i]) >= 0 && i+1 < len(format) {
			flag = format[i]
			i++
		}
		width := ""
		for i < len(format)-1 && format[i] >= '1' && format[i] <= '9' {
			width += format[i : i+1]
			i++
		}
		if format[i] == ':' && i+1 < len(format) && format[i+1] == 'z' {
			i++
			out.WriteString(t.Format("-07:00"))
			continue
		}
		text := dateField(format[i], width, t)
		switch flag {
		case '-':
			text = strings.TrimLeft(text, "0 ")
			if text == "" {
				text = "0"
			}
		case '_':
			trimmed := strings.TrimLeft(text, "0")
			text = strings.Repeat(" ", len(text)-len(trimmed)) + trimmed
		case '^':
			text = strings.ToUpper(text)
		}
		out.WriteString(text)
	}
	return out.String()
}

func dateField(letter byte, width string, t time.Time) string {
	if layout, ok := layouts[letter]; ok {
		return t.Format(layout)
	}
	year, week := t.ISOWeek()
	switch letter {
	case '%':
		return "%"
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case 's':
		return strconv.FormatInt(t.Unix(), 10)
	case 'N':
		digits, _ := strconv.Atoi(width)
		if digits == 0 || digits > 9 {
			digits = 9
		}
		return fmt.Sprintf("%09d", t.Nanosecond())[:digits]
	case 'j':
		return fmt.Sprintf("%03d", t.YearDay())
	case 'u':
		return strconv.Itoa((int(t.Weekday())+6)%7 + 1)
	case 'w':
		return strconv.Itoa(int(t.Weekday()))
	case 'V':
		return fmt.Sprintf("%02d", week)
	case 'G':
		return strconv.Itoa(year)
	case 'C':
		return fmt.Sprintf("%02d", t.Year()/100)
	case 'k':
		return fmt.Sprintf("%2d", t.Hour())
	case 'l':
		return fmt.Sprintf("%2d", (t.Hour()+11)%12+1)
	case 'U':
		return fmt.Sprintf("%02d", (t.YearDay()+6-int(t.Weekday()))/7)
	case 'W':
		return fmt.Sprintf("%02d", (t.YearDay()+6-(int(t.Weekday())+6)%7)/7)
	case 'q':
		return strconv.Itoa((int(t.Month()) + 2) / 3)
	}
	return "%" + string([]byte{letter})
}

// dateLayouts are the absolute dates that are understood.
var dateLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
	"2006/01/02 15:04:05", "2006/01/02", "20060102", time.RFC1123Z, time.RFC1123, time.UnixDate, "Jan 2 2006", "2 Jan 2006",
	"Jan 2, 2006", "2 January 2006", "January 2, 2006", "01/02/2006", "2 Jan 2006 15:04:05", "Jan 2 2006 15:04:05", "Jan 2 15:04:05 2006",
}

var relativeDate = regexp.MustCompile(`^\s*([+-]?\s*\d+|an?|next|last)\s*(second|sec|minute|min|hour|day|week|fortnight|month|year)s?(\s+ago)?`)

// parseDate reads what `date -d` does: @seconds, common absolute forms, now/today/yesterday/tomorrow, weekdays, and
// offsets such as "2 days ago" or "+1 week".
func parseDate(text string, now time.Time) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "@"); ok {
		seconds, err := strconv.ParseFloat(rest, 64)
		whole := int64(seconds)
		return time.Unix(whole, int64((seconds-float64(whole))*1e9)), err == nil
	}
	when, rest := now, strings.ToLower(text)
	found := false
	for cut := len(text); cut > 0 && !found; cut-- {
		if cut < len(text) && text[cut] != ' ' {
			continue
		}
		for _, layout := range dateLayouts {
			if t, err := time.ParseInLocation(layout, strings.TrimSpace(text[:cut]), now.Location()); err == nil {
				when, rest, found = t, strings.ToLower(text[cut:]), true
				break
			}
		}
	}
	for strings.TrimSpace(rest) != "" {
		var ok bool
		if when, rest, ok = dateStep(when, now, strings.TrimSpace(rest)); !ok {
			return now, false
		}
	}
	return when, found || text != ""
}

// dateStep applies one word or offset.
func dateStep(when, now time.Time, text string) (time.Time, string, bool) {
	midnight := func(t time.Time) time.Time { y, m, d := t.Date(); return time.Date(y, m, d, 0, 0, 0, 0, t.Location()) }
	word, rest, _ := strings.Cut(text, " ")
	switch word {
	case "now", "today":
		return when, rest, true
	case "yesterday":
		return when.AddDate(0, 0, -1), rest, true
	case "tomorrow":
		return when.AddDate(0, 0, 1), rest, true
	case "midnight":
		return midnight(when), rest, true
	case "noon":
		return midnight(when).Add(12 * time.Hour), rest, true
	case "utc", "z", "gmt":
		return when, rest, true
	}
	if clock, err := time.Parse("15:04:05", word); err == nil {
		return midnight(when).Add(time.Duration(clock.Hour()*3600+clock.Minute()*60+clock.Second()) * time.Second), rest, true
	}
	if clock, err := time.Parse("15:04", word); err == nil {
		return midnight(when).Add(time.Duration(clock.Hour()*60+clock.Minute()) * time.Minute), rest, true
	}
	if m := relativeDate.FindStringSubmatch(text); m != nil {
		return relativeStep(when, m), text[len(m[0]):], true
	}
	for day := time.Sunday; day <= time.Saturday; day++ {
		name := strings.ToLower(day.String())
		plain := strings.TrimPrefix(strings.TrimPrefix(text, "next "), "last ")
		if first, after, _ := strings.Cut(plain, " "); first == name || first == name[:3] {
			days := (int(day) - int(when.Weekday()) + 7) % 7
			switch {
			case strings.HasPrefix(text, "last "):
				days -= 7
			case strings.HasPrefix(text, "next ") && days == 0:
				days = 7
			}
			return midnight(when).AddDate(0, 0, days), after, true
		}
	}
	return when, text, false
}

func relativeStep(when time.Time, m []string) time.Time {
	n, err := strconv.Atoi(strings.ReplaceAll(m[1], " ", ""))
	if err != nil {
		n = map[string]int{"last": -1}[m[1]]
		if n == 0 {
			n = 1
		}
	}
	if m[3] != "" {
		n = -n
	}
	switch m[2] {
	case "second", "sec":
		return when.Add(time.Duration(n) * time.Second)
	case "minute", "min":
		return when.Add(time.Duration(n) * time.Minute)
	case "hour":
		return when.Add(time.Duration(n) * time.Hour)
	case "day":
		return when.AddDate(0, 0, n)
	case "week":
		return when.AddDate(0, 0, 7*n)
	case "fortnight":
		return when.AddDate(0, 0, 14*n)
	case "month":
		return when.AddDate(0, n, 0)
	}
	return when.AddDate(n, 0, 0)
}
