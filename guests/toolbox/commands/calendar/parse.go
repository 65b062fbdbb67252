package calendar

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones by name: there is no /usr/share/zoneinfo here
)

// dateReader reads what `date -d` does, item by item in any order, as GNU's parse_datetime: dates, times, zones, names
// of days, and offsets that are added to them.
type dateReader struct {
	now              time.Time
	zone             *time.Location
	year, month, day int
	clock            time.Duration // since midnight
	weekday, ordinal int

	dates, times, days      int
	years, months, daysAway int
	seconds                 time.Duration
}

// dateItem is one form of an item: read gives false for values that make no sense.
type dateItem struct {
	form *regexp.Regexp
	read func(r *dateReader, m []string) bool
}

const (
	monthForm = `(jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|january|february|march|april|june|july|august|september|october|november|december)\b\.?`
	unitForm  = `(seconds?|secs?|minutes?|mins?|hours?|days?|weeks?|fortnights?|months?|years?)\b`
)

// dateItems are tried in order at each place of the text.
var dateItems []dateItem

func init() {
	add := func(form string, read func(r *dateReader, m []string) bool) {
		dateItems = append(dateItems, dateItem{regexp.MustCompile(`^(?:` + form + `)`), read})
	}
	add(`(\d{4,})-(\d{1,2})-(\d{1,2})t?`, func(r *dateReader, m []string) bool { return r.date(m[1], m[2], m[3]) })
	add(`(\d{4,})/(\d{1,2})/(\d{1,2})`, func(r *dateReader, m []string) bool { return r.date(m[1], m[2], m[3]) })
	add(`(\d{1,2})/(\d{1,2})/(\d{2,4})`, func(r *dateReader, m []string) bool { return r.date(m[3], m[1], m[2]) })
	add(`(\d{1,2})/(\d{1,2})`, func(r *dateReader, m []string) bool { return r.date("", m[1], m[2]) })
	add(`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?(?:\s*([ap])\.?m\b\.?|\s*([+-]\d{1,2})(?::?(\d{2}))?\b)?`, (*dateReader).time)
	add(`(\d{1,2})()()()\s*([ap])\.?m\b\.?()()`, (*dateReader).time)
	add(`(\d{1,2})[ -]*`+monthForm+`(?:[ ,-]+(\d{4})\b)?`, func(r *dateReader, m []string) bool { return r.date(m[3], m[2], m[1]) })
	add(monthForm+`[ -]+(\d{1,2})\b(?:,?[ -]+(\d{4})\b)?`, func(r *dateReader, m []string) bool { return r.date(m[3], m[1], m[2]) })
	add(`([+-]?\s*\d+|an?\b|next\b|last\b|this\b)?\s*`+unitForm+`(\s+ago\b)?`, (*dateReader).offset)
	add(`(next\b|last\b|this\b)?\s*(sun|mon|tues?|wed(?:nes)?|thu|thur|thurs|fri|sat(?:ur)?)(?:day)?\b\.?`, (*dateReader).name)
	add(`(now|today|yesterday|tomorrow)\b`, (*dateReader).word)
	add(`(utc|gmt|z|est|edt|cst|cdt|mst|mdt|pst|pdt|cet|cest|bst|jst)\b`, (*dateReader).zoneName)
	add(`\d+\b`, (*dateReader).number)
}

// Parse reads a date as `date -d` does; what is left open is that of now.
func Parse(text string, now time.Time) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "@"); ok {
		whole, fraction, _ := strings.Cut(rest, ".")
		seconds, err := strconv.ParseInt(whole, 10, 64)
		nanoseconds, err2 := strconv.Atoi((fraction + "000000000")[:9])
		if strings.HasPrefix(whole, "-") {
			nanoseconds = -nanoseconds
		}
		return time.Unix(seconds, int64(nanoseconds)).In(now.Location()), err == nil && err2 == nil
	}
	r := &dateReader{now: now, zone: now.Location()}
	if name, ok := strings.CutPrefix(text, `TZ="`); ok {
		name, rest, closed := strings.Cut(name, `"`)
		if !closed {
			return now, false
		}
		r.zone, text = Zone(name), rest
	}
	if strings.Trim(text, " \t") == "" {
		r.dates, r.year, r.month, r.day = 1, now.Year(), int(now.Month()), now.Day()
	}
	return r.read(strings.ToLower(text))
}

func (r *dateReader) read(text string) (time.Time, bool) {
	for text = strings.TrimLeft(text, " \t\n,"); text != ""; text = strings.TrimLeft(text, " \t\n,") {
		found := false
		for _, item := range dateItems {
			if m := item.form.FindStringSubmatch(text); m != nil {
				if !item.read(r, m) {
					return r.now, false
				}
				text, found = text[len(m[0]):], true
				break
			}
		}
		if !found {
			return r.now, false
		}
	}
	return r.result()
}

func (r *dateReader) result() (time.Time, bool) {
	if r.dates > 1 || r.times > 1 || r.days > 1 {
		return r.now, false
	}
	now := r.now.In(r.zone)
	if r.dates == 0 {
		r.year, r.month, r.day = now.Year(), int(now.Month()), now.Day()
	} else if r.year < 0 {
		r.year = now.Year()
	}
	start := time.Date(r.year, time.Month(r.month), r.day, 0, 0, 0, 0, r.zone)
	if start.Month() != time.Month(r.month) || start.Day() != r.day {
		return r.now, false
	}
	if r.dates+r.times+r.days == 0 {
		clock := time.Duration(now.Hour())*time.Hour + time.Duration(now.Minute())*time.Minute + time.Duration(now.Second())*time.Second
		r.clock = clock + time.Duration(now.Nanosecond())
	}
	day := r.day + r.daysAway
	if r.days > 0 && r.dates == 0 {
		away := (r.weekday - int(start.Weekday()) + 7) % 7
		weeks := r.ordinal
		if weeks > 0 && away != 0 {
			weeks--
		}
		day += away + 7*weeks
	}
	c := r.clock
	when := time.Date(r.year+r.years, time.Month(r.month+r.months), day, int(c/time.Hour), int(c%time.Hour/time.Minute),
		int(c%time.Minute/time.Second), int(c%time.Second), r.zone)
	return when.Add(r.seconds).In(r.now.Location()), true
}

func (r *dateReader) date(year, month, day string) bool {
	r.dates++
	r.year = -1
	if year != "" {
		r.year, _ = strconv.Atoi(year)
		if len(year) == 2 { // as POSIX: 69 to 99 are of the last century
			r.year += 2000
			if r.year > 2068 {
				r.year -= 100
			}
		}
	}
	var err error
	if r.month, err = strconv.Atoi(month); err != nil {
		r.month = strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", month[:3])/3 + 1
	}
	r.day, err = strconv.Atoi(day)
	return err == nil && r.month >= 1 && r.month <= 12 && r.day >= 1 && r.day <= 31
}

// time is 10:20:30.5 pm or with a zone: +0200, -5.
func (r *dateReader) time(m []string) bool {
	r.times++
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	second, _ := strconv.Atoi(m[3])
	nanosecond, _ := strconv.Atoi((m[4] + "000000000")[:9])
	if m[5] != "" {
		if hour < 1 || hour > 12 {
			return false
		}
		hour %= 12
		if m[5] == "p" {
			hour += 12
		}
	}
	r.clock = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(nanosecond)
	if m[6] != "" {
		hours, _ := strconv.Atoi(m[6])
		minutes, _ := strconv.Atoi(m[7])
		if hours < -24 || hours > 24 || minutes > 59 {
			return false
		}
		if m[6][0] == '-' {
			minutes = -minutes
		}
		r.zone = time.FixedZone("", (hours*60+minutes)*60)
	}
	return hour < 24 && minute < 60 && second <= 60
}

func (r *dateReader) offset(m []string) bool {
	n := 1
	switch count := strings.ReplaceAll(m[1], " ", ""); count {
	case "", "a", "an", "next":
	case "last":
		n = -1
	case "this":
		n = 0
	default:
		var err error
		if n, err = strconv.Atoi(count); err != nil || n > 1<<40 || n < -1<<40 {
			return false
		}
	}
	if m[3] != "" {
		n = -n
	}

	switch unit := strings.TrimSuffix(m[2], "s"); unit {
	case "second", "sec":
		r.seconds += time.Duration(n) * time.Second
	case "minute", "min":
		r.seconds += time.Duration(n) * time.Minute
	case "hour":
		r.seconds += time.Duration(n) * time.Hour
	case "day":
		r.daysAway += n
	case "week":
		r.daysAway += 7 * n
	case "fortnight":
		r.daysAway += 14 * n
	case "month":
		r.months += n
	default:
		r.years += n
	}
	return true
}

// name is a weekday: the next one that is not in the past, unless next or last say otherwise.
func (r *dateReader) name(m []string) bool {
	r.days++
	r.weekday = strings.Index("sunmontuewedthufrisat", m[2][:3]) / 3
	r.ordinal = map[string]int{"next": 1, "last": -1}[m[1]]
	return true
}

func (r *dateReader) word(m []string) bool {

	r.daysAway += map[string]int{"yesterday": -1, "tomorrow": 1}[m[1]]
	return true
}

func (r *dateReader) zoneName(m []string) bool {
	hours := map[string]int{
		"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "cet": 1, "cest": 2, "bst": 1, "jst": 9,
	}[m[1]]
	r.zone = time.FixedZone(strings.ToUpper(m[1]), hours*3600)
	return true
}

// number is a year after a date without one, YYYYMMDD, or a time of day.
func (r *dateReader) number(m []string) bool {
	n, err := strconv.Atoi(m[0])
	switch {
	case err != nil:
		return false
	case r.dates == 1 && r.year < 0 && (r.times > 0 || len(m[0]) > 2):
		r.year = n
		return true
	case len(m[0]) > 4:
		return r.date(m[0][:len(m[0])-4], m[0][len(m[0])-4:len(m[0])-2], m[0][len(m[0])-2:])
	case len(m[0]) <= 2:
		n *= 100
	}
	r.times++
	r.clock = time.Duration(n/100)*time.Hour + time.Duration(n%100)*time.Minute
	return n/100 < 24 && n%100 < 60
}

var fixedZone = regexp.MustCompile(`^([A-Za-z]{3,}|<[A-Za-z0-9+-]+>)([+-]?\d{1,2})(?::(\d{2}))?$`)

// Zone is the zone that a value of TZ names: a place, or a name and hours west as POSIX writes it. An unknown one is
// UTC, as for GNU.
func Zone(name string) *time.Location {
	name = strings.TrimPrefix(name, ":")
	if name == "" {
		return time.UTC
	}
	if zone, err := time.LoadLocation(name); err == nil && name != "Local" {
		return zone
	}
	m := fixedZone.FindStringSubmatch(name)
	if m == nil {
		return time.UTC
	}
	hours, _ := strconv.Atoi(m[2])
	minutes, _ := strconv.Atoi(m[3])
	if strings.HasPrefix(m[2], "-") {
		minutes = -minutes
	}
	return time.FixedZone(strings.Trim(m[1], "<>"), -(hours*60+minutes)*60)
}
