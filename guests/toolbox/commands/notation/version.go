package notation

import "cmp"

// CompareVersions orders digits within names by value, as gnulib's filevercmp: suffixes such as .tar.gz count only
// when the rest is equal, and ~ comes before everything, even before the end.
func CompareVersions(a, b string) int {
	if (a == "" || b == "") && a != b {
		return cmp.Compare(len(a), len(b))
	}
	for _, special := range []string{".", ".."} {
		if a == special || b == special {
			return cmp.Compare(truth(b == special), truth(a == special))
		}
	}
	if a != "" && b != "" && (a[0] == '.') != (b[0] == '.') {
		return cmp.Compare(truth(b[0] == '.'), truth(a[0] == '.'))
	}
	barA, barB := versionPrefix(a), versionPrefix(b)
	if d := compareRuns(a[:barA], b[:barB]); d != 0 || barA == len(a) && barB == len(b) {
		return d
	}
	return compareRuns(a, b)
}

func truth(is bool) int { return map[bool]int{true: 1}[is] }

// versionPrefix is the length of a name without its suffixes: (\.[A-Za-z~][A-Za-z0-9~]*)*$.
func versionPrefix(name string) int {
	prefix := 0
	for i := 0; i < len(name); {
		i++
		prefix = i
		for i+1 < len(name) && name[i] == '.' && (letter(name[i+1]) || name[i+1] == '~') {
			for i += 2; i < len(name) && (letter(name[i]) || digit(name[i]) || name[i] == '~'); i++ {
			}
		}
	}
	return prefix
}

func letter(b byte) bool { return b|32 >= 'a' && b|32 <= 'z' }
func digit(b byte) bool  { return b >= '0' && b <= '9' }

// compareRuns compares runs of other characters by rank and runs of digits by value, in turn.
func compareRuns(a, b string) int {
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		for i < len(a) && !digit(a[i]) || j < len(b) && !digit(b[j]) {
			if d := cmp.Compare(versionRank(a, i), versionRank(b, j)); d != 0 {
				return d
			}
			i++
			j++
		}
		for i < len(a) && a[i] == '0' {
			i++
		}
		for j < len(b) && b[j] == '0' {
			j++
		}
		first := 0
		for i < len(a) && j < len(b) && digit(a[i]) && digit(b[j]) {
			first = cmp.Or(first, cmp.Compare(a[i], b[j]))
			i++
			j++
		}
		switch {
		case i < len(a) && digit(a[i]):
			return 1
		case j < len(b) && digit(b[j]):
			return -1
		case first != 0:
			return first
		}
	}
	return 0
}

// versionRank puts ~ before the end, then digits, then letters, then other signs.
func versionRank(text string, at int) int {
	switch {
	case at >= len(text):
		return -1
	case digit(text[at]):
		return 0
	case letter(text[at]):
		return int(text[at])
	case text[at] == '~':
		return -2
	}
	return int(text[at]) + 256
}
