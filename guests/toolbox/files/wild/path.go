package wild

import (
	"errors"
	"math/bits"
	"path"
	"strings"
)

// ErrTooLong is a pattern with more components, over all its alternatives, than a State has bits.
var ErrTooLong = errors.New("the pattern has more than 63 path components, counted over its alternatives")

// ErrParent is a `..` behind a wildcard, where it has no fixed meaning.
var ErrParent = errors.New(`".." may only stand before the first wildcard`)

type step struct {
	names  []Name // alternatives of one component
	across bool   // `**`
	final  bool   // behind the last component
}

// Path is a compiled pattern of components with `**` across them; it is walked component by component.
type Path struct {
	steps []step
	start State
	// Directories is set by a trailing slash: the pattern names directories.
	Directories bool
}

// State is the set of places in a Path that a walk has reached; zero means nothing below can match.
type State uint64

// CompilePath compiles a relative pattern. `*.go` matches at the top only, `**/*.go` at any depth.
func CompilePath(pattern string) (*Path, error) {
	p := &Path{Directories: strings.HasSuffix(pattern, "/")}
	wholes := []string{pattern}
	if slashInBraces(pattern) {
		var err error
		if wholes, err = Expand(pattern); err != nil {
			return nil, err
		}
	}
	for _, whole := range wholes {
		if err := p.add(whole); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Path) add(pattern string) error {
	return p.addParts(components(pattern), func(part string) ([]Name, error) {
		alternatives, err := Expand(part)
		if err != nil {
			return nil, err
		}
		var names []Name
		for _, alternative := range alternatives {
			name, err := CompileName(alternative)
			if err != nil {
				return nil, err
			}
			names = append(names, name)
		}
		return names, nil
	})
}

func (p *Path) addParts(parts []string, compile func(string) ([]Name, error)) error {
	first := len(p.steps)
	for i, part := range parts {
		if part == ".." {
			return ErrParent
		}
		if part == "**" {
			p.steps = append(p.steps, step{across: true})
			if i < len(parts)-1 {
				continue
			}
			part = "*" // a trailing `**` is everything below, not the directory itself
		}
		names, err := compile(part)
		if err != nil {
			return err
		}
		p.steps = append(p.steps, step{names: names})
	}
	p.steps = append(p.steps, step{final: true})
	if len(p.steps) > 64 {
		return ErrTooLong
	}
	p.start |= p.reach(first)
	return nil
}

// components splits at slashes, dropping empty parts and ".".
func components(pattern string) []string {
	var parts []string
	for _, part := range strings.Split(pattern, "/") {
		if part != "" && part != "." {
			parts = append(parts, part)
		}
	}
	return parts
}

func slashInBraces(pattern string) bool {
	depth := 0
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			depth--
		case '/':
			if depth > 0 {
				return true
			}
		}
	}
	return false
}

// reach is the place itself and, through `**`, the places behind it (`**` may stand for no directory).
func (p *Path) reach(at int) State {
	state := State(1) << at
	for p.steps[at].across {
		at++
		state |= State(1) << at
	}
	return state
}

// Start is the state at the directory the pattern is relative to.
func (p *Path) Start() State { return p.start }

// Step is the state one component further down.
func (p *Path) Step(state State, name string) State {
	var next State
	for rest := uint64(state); rest != 0; rest &= rest - 1 {
		at := bits.TrailingZeros64(rest)
		s := &p.steps[at]
		if s.across {
			next |= p.reach(at)
			continue
		}
		for i := range s.names {
			if s.names[i].Match(name) {
				next |= p.reach(at + 1)
				break
			}
		}
	}
	return next
}

// Matched says whether the path walked so far matches.
func (p *Path) Matched(state State) bool {
	for rest := uint64(state); rest != 0; rest &= rest - 1 {
		if p.steps[bits.TrailingZeros64(rest)].final {
			return true
		}
	}
	return false
}

// Match walks a whole relative path.
func (p *Path) Match(relative string) bool {
	state := p.start
	for relative != "" && state != 0 {
		name, rest, _ := strings.Cut(relative, "/")
		state = p.Step(state, name)
		relative = rest
	}
	return p.Matched(state)
}

// Names says whether one component of the pattern is exactly this name.
func (p *Path) Names(name string) bool {
	for _, s := range p.steps {
		for _, n := range s.names {
			if n.plain && n.literal == name {
				return true
			}
		}
	}
	return false
}

// SplitBase separates the leading plain directories of a pattern from the rest: "a/b/*.go" is "a/b" and "*.go".
// The last component always stays in the rest.
func SplitBase(pattern string) (base, rest string) {
	for {
		head, tail, found := strings.Cut(pattern, "/")
		if !found || strings.Trim(tail, "/") == "" || !IsPlain(head) {
			break
		}
		if head == "" {
			head = "/"
		}
		base = path.Join(base, head)
		pattern = tail
	}
	return base, pattern
}
