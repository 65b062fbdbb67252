package expand

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// QuoteWord quotes as printf's %q does: backslashes, or $'...' if there are control characters.
func QuoteWord(word string) string {
	if word == "" {
		return "''"
	}
	if unprintable(word) {
		return quoteDollar(word)
	}
	var out strings.Builder
	for i := 0; i < len(word); i++ {
		c := word[i]
		if strings.IndexByte(" !\"$&'()*,;<>?[\\]^`{|}", c) >= 0 || (c == '#' || c == '~') && i == 0 ||
			c == '~' && (word[i-1] == ':' || word[i-1] == '=') {
			out.WriteByte('\\')
		}
		out.WriteByte(c)
	}
	return out.String()
}

// QuoteSingle quotes as ${x@Q} does: in single quotes, or $'...' if there are control characters.
func QuoteSingle(word string) string {
	if unprintable(word) {
		return quoteDollar(word)
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// QuoteDouble quotes as declare -p does: in double quotes, or $'...' if there are control characters.
func QuoteDouble(word string) string {
	if unprintable(word) {
		return quoteDollar(word)
	}
	var out strings.Builder
	out.WriteByte('"')
	for i := 0; i < len(word); i++ {
		if strings.IndexByte("\"$`\\", word[i]) >= 0 {
			out.WriteByte('\\')
		}
		out.WriteByte(word[i])
	}
	out.WriteByte('"')
	return out.String()
}

func unprintable(word string) bool {
	for i, r := range word {
		if r < ' ' || r == 127 || r == utf8.RuneError && word[i] != 0xef || r > 127 && !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			return true
		}
	}
	return false
}

var dollarNames = map[byte]string{
	'\a': `\a`, '\b': `\b`, 27: `\E`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\v': `\v`, '\\': `\\`, '\'': `\'`,
}

func quoteDollar(word string) string {
	var out strings.Builder
	out.WriteString("$'")
	for i := 0; i < len(word); {
		r, size := utf8.DecodeRuneInString(word[i:])
		c := word[i]
		if name, ok := dollarNames[c]; ok {
			out.WriteString(name)
		} else if c < ' ' || c == 127 || r == utf8.RuneError && size <= 1 {
			fmt.Fprintf(&out, `\%03o`, c)
		} else {
			out.WriteString(word[i : i+size])
		}
		i += size
	}
	out.WriteString("'")
	return out.String()
}

// QuoteKey quotes the key of an associative array as declare -p does.
func QuoteKey(key string) string {
	if key == "" || strings.ContainsAny(key, " \t\n!\"$&'()*,;<>?[\\]^`{|}~#") || unprintable(key) {
		return QuoteDouble(key)
	}
	return key
}
