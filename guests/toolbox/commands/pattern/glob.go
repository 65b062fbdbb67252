package pattern

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

// MatchGlob says whether the whole text matches a shell glob. A leading dot is nothing special and * crosses slashes,
// as in fnmatch without flags.
func MatchGlob(glob, text string) bool { return globRegexp(glob, "").MatchString(text) }

// MatchGlobFold is MatchGlob without regard to case.
func MatchGlobFold(glob, text string) bool { return globRegexp(glob, "(?i)").MatchString(text) }

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

// MatchAnyGlob says whether one of the globs matches the name.
func MatchAnyGlob(globs []string, base string) bool {
	for _, glob := range globs {
		if MatchGlob(glob, base) {
			return true
		}
	}
	return false
}
