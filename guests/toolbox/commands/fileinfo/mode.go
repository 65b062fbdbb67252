package fileinfo

import (
	"io/fs"
	"strconv"
	"strings"
)

// ModeText is "drwxr-xr-x".
func ModeText(kind fs.FileMode, bits uint32) string {
	text := []byte("-rwxrwxrwx")
	if letter := TypeLetter(kind); letter != "f" {
		text[0] = letter[0]
	}
	for i := range 9 {
		if bits&(1<<(8-i)) == 0 {
			text[i+1] = '-'
		}
	}
	return string(text)
}

// ChangeMode applies a mode as chmod reads it: octal, or clauses such as u+x,go-w. X depends on whether the file is a
// directory or executable already.
func ChangeMode(mode uint32, text string, isDir bool) (uint32, bool) {
	if n, err := strconv.ParseUint(text, 8, 32); err == nil && n <= 0o7777 {
		return uint32(n), true
	}
	for _, clause := range strings.Split(text, ",") {
		at := strings.IndexAny(clause, "+-=")
		if at < 0 {
			return 0, false
		}
		who := uint32(0)
		for _, letter := range clause[:at] {
			shift, ok := map[rune]uint32{'u': 0o700, 'g': 0o070, 'o': 0o007, 'a': 0o777}[letter]
			if !ok {
				return 0, false
			}
			who |= shift
		}
		mask := uint32(0o7777)
		if at == 0 { // nobody named: all, but what the usual umask 022 takes away
			who, mask = 0o777, 0o755
		}
		for rest := clause[at:]; rest != ""; {
			operator := rest[0]
			end := strings.IndexAny(rest[1:], "+-=") + 1
			if end == 0 {
				end = len(rest)
			}
			bits, ok := permissionBits(rest[1:end], mode, isDir)
			bits &= mask
			special := bits &^ 0o777
			if !ok {
				return 0, false
			}
			switch operator {
			case '+':
				mode |= bits&who | special
			case '-':
				mode &^= bits&who | special
			case '=':
				mode = mode&^who | bits&who
			}
			rest = rest[end:]
		}
	}
	return mode, true
}

func permissionBits(letters string, mode uint32, isDir bool) (uint32, bool) {
	bits := uint32(0)
	for _, letter := range letters {
		switch letter {
		case 'r':
			bits |= 0o444
		case 'w':
			bits |= 0o222
		case 'x':
			bits |= 0o111
		case 'X':
			if isDir || mode&0o111 != 0 {
				bits |= 0o111
			}
		case 'u':
			bits |= mode >> 6 & 7 * 0o111
		case 'g':
			bits |= mode >> 3 & 7 * 0o111
		case 'o':
			bits |= mode & 7 * 0o111
		case 's', 't':
			bits |= 0o7000
		default:
			return 0, false
		}
	}
	return bits, true
}
