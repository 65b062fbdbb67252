// Package gitignore decides which paths git's ignore files hide.
//
// It guarantees git's rules for one file (order, negation, anchoring, `**`, directory-only patterns) and for
// files in nested directories (the deeper one wins). It does not read files, nor git's index or configuration.
package gitignore

import (
	"strings"

	"capbox/toolbox/files/wild"
)

type rule struct {
	negated     bool
	directories bool
	name        *wild.Name // a pattern without a slash: the last component, at any depth
	path        *wild.Path
}

// Rules is one ignore file.
type Rules struct{ rules []rule }

// Parse reads an ignore file. A line git could not match is dropped, as git does.
func Parse(text string) Rules {
	var out Rules
	text = strings.TrimPrefix(text, "\ufeff")
	for line := range strings.SplitSeq(text, "\n") {
		if r, ok := parseLine(strings.TrimSuffix(line, "\r")); ok {
			out.rules = append(out.rules, r)
		}
	}
	return out
}

// Empty says whether the file hides nothing.
func (r Rules) Empty() bool { return len(r.rules) == 0 }

func parseLine(line string) (rule, bool) {
	var r rule
	if strings.HasPrefix(line, "#") {
		return r, false
	}
	line = trimSpaces(line)
	line, r.negated = strings.CutPrefix(line, "!")
	line, r.directories = strings.CutSuffix(line, "/")
	if line == "" {
		return r, false
	}
	if !strings.Contains(line, "/") {
		name, err := wild.CompileBytes(line)
		r.name = &name
		return r, err == nil
	}
	path, err := wild.CompileGit(strings.TrimPrefix(line, "/"))
	r.path = path
	return r, err == nil
}

// trimSpaces removes trailing spaces that no backslash protects.
func trimSpaces(line string) string {
	for strings.HasSuffix(line, " ") {
		rest := line[:len(line)-1]
		slashes := len(rest) - len(strings.TrimRight(rest, `\`))
		if slashes%2 == 1 {
			return line
		}
		line = rest
	}
	return line
}

// verdict is what one file says of a path relative to its directory.
func (r Rules) verdict(relative, name string, directory bool) (ignored, said bool) {
	for i := len(r.rules) - 1; i >= 0; i-- {
		one := &r.rules[i]
		if one.directories && !directory {
			continue
		}
		if one.name != nil && one.name.Match(name) || one.path != nil && one.path.Match(relative) {
			return !one.negated, true
		}
	}
	return false, false
}

// Level is the ignore files from one directory upwards; nil hides nothing.
type Level struct {
	parent *Level
	cut    int // length of the directory's path with its slash
	rules  Rules
}

// Below adds the rules found in a directory, given its absolute path.
func (l *Level) Below(directory string, rules Rules) *Level {
	if rules.Empty() {
		return l
	}
	return &Level{parent: l, cut: len(strings.TrimSuffix(directory, "/")) + 1, rules: rules}
}

// Ignored judges an absolute path whose last component is the name. Its parents must have been judged before:
// what lies in an ignored directory cannot come back, so callers do not descend there.
func (l *Level) Ignored(path, name string, directory bool) bool {
	for level := l; level != nil; level = level.parent {
		if ignored, said := level.rules.verdict(path[level.cut:], name, directory); said {
			return ignored
		}
	}
	return false
}
