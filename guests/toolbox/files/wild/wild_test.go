package wild

import (
	"errors"
	"strings"
	"testing"
)

func TestNamesMatchAsShellPatternsDo(t *testing.T) {
	for _, c := range []struct {
		pattern string
		matches string
		not     string
	}{
		{"a", "a", "b aa A"},
		{"*", "a .b", ""},
		{"*.go", "a.go .go", "a.goo go"},
		{"a*b*c", "abc aXbYc abcbc", "ab acb abcd"},
		{"?", "a é 世", "ab"},
		{"a?c", "abc aéc", "ac abbc"},
		{"[abc]", "a c", "d ab"},
		{"[a-c]x", "ax cx", "dx a-x"},
		{"[!a-c]", "d -", "a"},
		{"[^a]", "b", "a"},
		{"[]a]", "] a", "b"},
		{"[a-]", "a -", "b"},
		{"[[:digit:]_]*", "1a _b", "a1"},
		{`\*`, "*", "a"},
		{`[\]]`, "]", "a"},
		{"*é*", "né é", "e"},
		{"**a", "a ba", "ab"},
		{"*a*a*a*a*a*a*a*b", "aaaaaaab", strings.Repeat("a", 200)},
	} {
		name, err := CompileName(c.pattern)
		if err != nil {
			t.Fatal(c.pattern, err)
		}
		for _, one := range strings.Fields(c.matches) {
			if !name.Match(one) {
				t.Errorf("%q does not match %q", c.pattern, one)
			}
		}
		for _, one := range strings.Fields(c.not) {
			if name.Match(one) {
				t.Errorf("%q matches %q", c.pattern, one)
			}
		}
	}
}

func TestPathsMatchAcrossComponents(t *testing.T) {
	for _, c := range []struct{ pattern, matches, not string }{
		{"*.go", "a.go", "d/a.go a.c"},
		{"**/*.go", "a.go d/a.go d/e/a.go", "a.c d/a.c"},
		{"src/**/*.go", "src/a.go src/d/a.go", "a.go lib/a.go src"},
		{"src/**", "src/a src/d/a", "src a"},
		{"**", "a d/a", ""},
		{"**/d/**", "d/a x/d/a x/d/y/a", "d a x/d"},
		{"a/*/c", "a/b/c", "a/c a/b/b/c"},
		{"*.{go,c}", "a.go a.c", "a.h"},
		{"{src,lib/x}/*.c", "src/a.c lib/x/a.c", "lib/a.c x/a.c"},
		{"{a,b{c,d}}x", "ax bcx bdx", "bx cx"},
		{"{a}", "{a}", "a"},
		{"./a//b", "a/b", "b"},
		{"**/**/a", "a d/a", "b"},
		{"a**/b", "a/b axx/b", "a/x/b"},
		{"{,x}a", "a xa", "ya"},
		{"[{]a", "{a", "a"},
	} {
		path, err := CompilePath(c.pattern)
		if err != nil {
			t.Fatal(c.pattern, err)
		}
		for _, one := range strings.Fields(c.matches) {
			if !path.Match(one) {
				t.Errorf("%q does not match %q", c.pattern, one)
			}
		}
		for _, one := range strings.Fields(c.not) {
			if path.Match(one) {
				t.Errorf("%q matches %q", c.pattern, one)
			}
		}
	}
}

func TestADeadStateTellsThatNothingBelowCanMatch(t *testing.T) {
	path, _ := CompilePath("src/*/test/*.go")
	state := path.Start()
	if path.Step(state, "lib") != 0 {
		t.Error("lib is not dead")
	}
	if state = path.Step(path.Step(state, "src"), "x"); state == 0 || path.Step(state, "main") != 0 {
		t.Error("src/x is dead or src/x/main is not")
	}
}

func TestBadPatternsAreErrors(t *testing.T) {
	for pattern, want := range map[string]error{
		"[a": ErrUnclosed, "{a,b": ErrUnclosed, "a/[!": ErrUnclosed, "*/../a": ErrParent,
		strings.Repeat("{a,b,c}", 10): ErrTooMany, strings.Repeat("a/", 70): ErrTooLong, "{" + strings.Repeat("a/b,", 40) + "}": ErrTooLong,
	} {
		if _, err := CompilePath(pattern); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", pattern, err, want)
		}
	}
}

func TestTheBaseOfAPatternIsItsPlainDirectories(t *testing.T) {
	for pattern, want := range map[string][2]string{
		"*.go": {"", "*.go"}, "a/b/*.go": {"a/b", "*.go"}, "a/b": {"a", "b"}, "/a/*": {"/a", "*"}, "../x/*.c": {"../x", "*.c"},
		"a/*/b": {"a", "*/b"}, "a": {"", "a"}, "dir/": {"", "dir/"}, "/": {"", "/"}, "a/b/": {"a", "b/"},
	} {
		base, rest := SplitBase(pattern)
		if base != want[0] || rest != want[1] {
			t.Errorf("%q: %q %q, want %q", pattern, base, rest, want)
		}
	}
}
