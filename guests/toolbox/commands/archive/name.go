package archive

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// NameBytesMax bounds a member's name where it becomes a path, as PATH_MAX does: a header can hold a megabyte of
// slashes, each a directory to make.
const NameBytesMax = 4096

// Below is the part of a member's name that stays below a directory, as GNU tar cuts it: all up to the last ".."
// and leading slashes go. What was cut is the second result; "." stands for nothing left.
func Below(name string) (rest, cut string) {
	end := 0
	for at := 0; at < len(name); {
		part, _, _ := strings.Cut(name[at:], "/")
		if part == ".." {
			end = at + len(part)
		}
		at += len(part) + 1
	}
	for end < len(name) && name[end] == '/' {
		end++
	}
	if end == len(name) {
		return ".", name
	}
	return name[end:], name[:end]
}

// Shortened is the name without its first components; false if nothing is left.
func Shortened(name string, components int) (string, bool) {
	rest := name
	for range components {
		rest = strings.TrimLeft(rest, "/")
		_, after, found := strings.Cut(rest, "/")
		if !found {
			return "", false
		}
		rest = after
	}
	rest = strings.TrimLeft(rest, "/")
	return rest, components == 0 || rest != ""
}

// Quoted is a name as tar shows it: what is not printable is escaped, so that no name drives a terminal.
func Quoted(name string) string {
	if !strings.ContainsFunc(name, func(r rune) bool { return r == '\\' || r == utf8.RuneError || !unicode.IsPrint(r) }) {
		return name
	}
	var out strings.Builder
	for i := 0; i < len(name); {
		char, width := utf8.DecodeRuneInString(name[i:])
		letter, short := escapes[char]
		switch {
		case short:
			out.WriteString(letter)
		case char == utf8.RuneError && width == 1 || !unicode.IsPrint(char):
			for _, b := range []byte(name[i : i+width]) {
				fmt.Fprintf(&out, `\%03o`, b)
			}
		default:
			out.WriteString(name[i : i+width])
		}
		i += width
	}
	return out.String()
}

var escapes = map[rune]string{
	'\\': `\\`, '\n': `\n`, '\t': `\t`, '\r': `\r`, '\a': `\a`, '\b': `\b`, '\f': `\f`, '\v': `\v`,
}

// within says whether a path is the base or below it; both are clean.
func within(base, path string) bool {
	return path == base || base == "/" || strings.HasPrefix(path, base+string(filepath.Separator))
}
