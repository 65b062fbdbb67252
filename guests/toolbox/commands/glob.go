package commands

import (
	"regexp"
	"sync"

	"mvdan.cc/sh/v3/pattern"
)

// globs caches compiled globs: find and grep match the same few against every name.
var (
	globsMu sync.Mutex
	globs   = map[string]*regexp.Regexp{}
)

// globMatch says whether the whole text matches a shell glob. A leading dot is nothing special and * crosses slashes,
// as in fnmatch without flags.
func globMatch(glob, text string) bool { return globRegexp(glob, "").MatchString(text) }

// globMatchFold is globMatch without regard to case.
func globMatchFold(glob, text string) bool { return globRegexp(glob, "(?i)").MatchString(text) }

func globRegexp(glob, flags string) *regexp.Regexp {
	globsMu.Lock()
	defer globsMu.Unlock()
	key := flags + glob
	if compiled := globs[key]; compiled != nil {
		return compiled
	}
	text, err := pattern.Regexp(glob, pattern.EntireString)
	if err != nil {
		text = "^" + regexp.QuoteMeta(glob) + "$"
	}
	compiled, err := regexp.Compile(flags + text)
	if err != nil {
		compiled = regexp.MustCompile("^" + regexp.QuoteMeta(glob) + "$")
	}
	globs[key] = compiled
	return compiled
}

// matchesAny says whether one of the globs matches the name.
func matchesAny(globs []string, base string) bool {
	for _, glob := range globs {
		if globMatch(glob, base) {
			return true
		}
	}
	return false
}
