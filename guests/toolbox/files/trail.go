package files

import (
	"strings"

	"capbox/toolbox/files/wild"
)

// trail follows a path pattern down a tree, remembering its state at every depth of the walk.
type trail struct {
	pattern *wild.Path
	states  []wild.State
	fold    bool // upper and lower case are the same
}

func newTrail(pattern string, fold bool) (*trail, error) {
	if fold {
		pattern = strings.ReplaceAll(strings.ToLower(pattern), "[:upper:]", "[:alpha:]")
	}
	compiled, err := wild.CompilePath(pattern)
	if err != nil {
		return nil, err
	}
	return &trail{pattern: compiled, states: []wild.State{compiled.Start()}, fold: fold}, nil
}

// step is the state at a name in the directory at that depth.
func (t *trail) step(name string, depth int) wild.State {
	if t.fold {
		name = strings.ToLower(name)
	}
	return t.pattern.Step(t.states[depth], name)
}

// descend goes into a directory; false when nothing below it can match.
func (t *trail) descend(name string, depth int) bool {
	next := t.step(name, depth)
	t.states = append(t.states[:depth+1], next)
	return next != 0
}

// matches says whether a name in the directory at that depth matches.
func (t *trail) matches(name string, depth int) bool {
	state := t.step(name, depth)
	return state != 0 && t.pattern.Matched(state)
}

// filter is grep's `glob`: a pattern without a slash is for names at any depth, a leading `!` excludes.
type filter struct {
	trail   *trail
	negated bool
}

func newFilter(pattern string) (*filter, error) {
	f := &filter{}
	if pattern == "" {
		return f, nil
	}
	pattern, f.negated = strings.CutPrefix(pattern, "!")
	if !strings.Contains(strings.TrimSuffix(pattern, "/"), "/") {
		pattern = "**/" + pattern
	}
	if strings.HasSuffix(pattern, "/") {
		pattern += "**"
	}
	var err error
	f.trail, err = newTrail(pattern, false)
	return f, err
}

func (f *filter) descend(name string, depth int) bool {
	return f.trail == nil || f.trail.descend(name, depth) || f.negated
}

func (f *filter) takes(name string, depth int) bool {
	return f.trail == nil || f.trail.matches(name, depth) != f.negated
}
