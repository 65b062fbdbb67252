package wild

import (
	"errors"
	"slices"
	"strings"
)

// ErrNoName is a component that no file has, "." or nothing.
var ErrNoName = errors.New("a component is empty")

// CompileGit compiles a line of an ignore file that holds a slash, without its leading and its trailing one.
func CompileGit(pattern string) (*Path, error) {
	p := &Path{}
	parts := gitParts(pattern)
	for i, part := range parts {
		if len(part) > 2 && strings.Trim(part, "*") == "" {
			parts[i] = "**" // git takes more stars for two
		}
	}
	var failure error
	for _, one := range crossing(parts) {
		kept := len(p.steps)
		if err := p.addParts(one, gitName); err != nil {
			p.steps, failure = p.steps[:kept], err
		}
	}
	if len(p.steps) == 0 {
		return nil, failure
	}
	return p, nil
}

func gitName(part string) ([]Name, error) {
	if part == "" || part == "." {
		return nil, ErrNoName
	}
	name, err := CompileBytes(part)
	return []Name{name}, err
}

// crossing spells out a peculiarity: git cuts the text before the first wildcard off, so that in `a**/b` the stars
// stand at a beginning and cross directories. It matches `ab` as well as `ax/y/b`.
func crossing(parts []string) [][]string {
	for i, part := range parts {
		at := strings.IndexAny(part, `*?[\`)
		if at < 0 {
			continue
		}
		if at == 0 || len(part)-at < 2 || strings.Trim(part[at:], "*") != "" {
			break
		}
		begun := slices.Concat(parts[:i], []string{part[:at] + "*"})
		deeper := slices.Concat(begun, []string{"**"}, parts[i+1:])
		switch {
		case i+1 == len(parts):
			return [][]string{begun, deeper}
		case parts[i+1] == "**":
			return append(crossing(slices.Concat(parts[:i], []string{part}, parts[i+2:])), deeper)
		}
		joined := slices.Concat(parts[:i], []string{part[:at] + parts[i+1]}, parts[i+2:])
		return [][]string{joined, deeper}
	}
	return [][]string{parts}
}

// gitParts splits at slashes, but not at those inside a class, which git takes for members that match nothing.
func gitParts(pattern string) []string {
	var parts []string
	from := 0
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			if i++; i < len(pattern) && pattern[i] == '/' {
				parts = append(parts, pattern[from:i-1])
				from = i + 1
			}
		case '[':
			if _, width, err := class(pattern[i:], true); err == nil {
				i += width - 1
			}
		case '/':
			parts = append(parts, pattern[from:i])
			from = i + 1
		}
	}
	return append(parts, pattern[from:])
}
