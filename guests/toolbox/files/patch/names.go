package patch

import (
	"strconv"
	"strings"
)

const devNull = "/dev/null"

// headerName is the name in a "---" or "+++" line: quoted by git, or up to a tab, behind which some put a time.
func headerName(text string) string {
	text = strings.TrimSuffix(text, "\r")
	if strings.HasPrefix(text, `"`) {
		return unquote(text)
	}
	name, _, _ := strings.Cut(text, "\t")
	return strings.TrimRight(name, " ")
}

// unquote undoes git's C-style quoting of unusual names.
func unquote(text string) string {
	text = strings.TrimSuffix(text, "\r")
	if !strings.HasPrefix(text, `"`) {
		return text
	}
	if end := strings.LastIndexByte(text, '"'); end > 0 {
		if plain, err := strconv.Unquote(text[:end+1]); err == nil {
			return plain
		}
	}
	return text
}

// gitNames splits the rest of a "diff --git" line. Names with spaces are not quoted there, so the place where both
// halves name the same file is looked for.
func gitNames(rest string) (from, to string) {
	if strings.HasPrefix(rest, `"`) || strings.HasSuffix(rest, `"`) {
		if at := strings.Index(rest, ` "`); at > 0 {
			return unquote(rest[:at]), unquote(rest[at+1:])
		}
		at := strings.Index(rest, `" `)
		return unquote(rest[:at+1]), rest[min(at+2, len(rest)):]
	}
	half := len(rest) / 2
	if len(rest)%2 == 1 && rest[half] == ' ' {
		from, to = rest[:half], rest[half+1:]
		_, first, _ := strings.Cut(from, "/")
		_, second, _ := strings.Cut(to, "/")
		if from == to || first == second {
			return from, to
		}
	}
	from, to, _ = strings.Cut(rest, " ")
	return from, to
}

// prefixes are git's pairs: the usual one, and those of diff.mnemonicPrefix.
var prefixes = [][2]string{{"a/", "b/"}, {"i/", "w/"}, {"c/", "i/"}, {"c/", "w/"}, {"o/", "w/"}, {"1/", "2/"}}

// withoutPrefixes takes `a/` and `b/` away where both names have them, or the only one has.
func withoutPrefixes(from, to string) (string, string) {
	for i, pair := range prefixes {
		first, cutFirst := strings.CutPrefix(from, pair[0])
		second, cutSecond := strings.CutPrefix(to, pair[1])
		usual := i == 0
		switch {
		case cutFirst && cutSecond && (usual || first == second):
			return first, second
		case usual && cutFirst && to == devNull:
			return first, to
		case usual && cutSecond && from == devNull:
			return from, second
		}
	}
	return from, to
}
