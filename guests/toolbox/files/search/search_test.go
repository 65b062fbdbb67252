package search

import (
	"bytes"
	"fmt"
	"math/rand"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
)

// naive is the definition: Go's regexp asked line by line.
func naive(pattern string, text string) []int {
	re := regexp.MustCompile(pattern)
	var out []int
	lines := strings.Split(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for i, line := range lines {
		if re.MatchString(strings.TrimSuffix(line, "\r")) {
			out = append(out, i+1)
		}
	}
	return out
}

func found(t *testing.T, pattern, text string, context int) (matches []int, shown string) {
	t.Helper()
	e, err := Compile(pattern, Options{})
	if err != nil {
		t.Fatalf("%q: %v", pattern, err)
	}
	var out strings.Builder
	err = NewSearcher(e, context, context).Search(iotest.HalfReader(strings.NewReader(text)), func(line Line) bool {
		if line.Gap {
			out.WriteString("--\n")
		}
		mark := "-"
		if line.Match {
			matches = append(matches, line.Number)
			mark = ":"
		}
		fmt.Fprintf(&out, "%d%s%s\n", line.Number, mark, line.Text)
		return true
	})
	if err != nil {
		t.Fatalf("%q: %v", pattern, err)
	}
	return matches, out.String()
}

var atoms = []string{"a", "b", "ab", ".", "[^a]", "[a-c]", `\w`, `\b`, `\B`, `\s`, "^", "$", "é", "[é-ü]", "(a|b)", "(?i:aB)", "x*", "c+", "d?", "ab{1,2}", `\S+`, "�", "[^x]", "世", `\pL`, `(?i)k`, "|b", `\W`}

func TestTheSearchFindsTheLinesGoFindsLineByLine(t *testing.T) {
	random := rand.New(rand.NewSource(7))
	letters := []string{"a", "b", "ab", "c", "d", " ", "\n", "\n\n", "é", "ü", "世界", "x", "_", "\r\n", "\r", "\xff", "K", "k", "\u212a", "A", "\t", "\xc3"}
	for range 6000 {
		var pattern, text strings.Builder
		for range 1 + random.Intn(4) {
			pattern.WriteString(atoms[random.Intn(len(atoms))])
		}
		for range random.Intn(30) {
			text.WriteString(letters[random.Intn(len(letters))])
		}
		if _, err := regexp.Compile(pattern.String()); err != nil {
			continue
		}
		want := naive(pattern.String(), text.String())
		got, _ := found(t, pattern.String(), text.String(), 0)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%q in %q: %v, want %v", pattern.String(), text.String(), got, want)
		}
	}
}

func TestAFullTableOfStatesIsEmptiedAndTheAnswerStaysRight(t *testing.T) {
	pattern := "[ab]*a[ab]{14}c"
	random := rand.New(rand.NewSource(3))
	var text strings.Builder
	for range 3000 {
		for range 40 {
			text.WriteByte("aaabbbc"[random.Intn(7)])
		}
		text.WriteByte('\n')
	}
	got, _ := found(t, pattern, text.String(), 0)
	if want := naive(pattern, text.String()); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
}

func TestContextIsShownOnceAndGapsAreMarked(t *testing.T) {
	text := "1\nhit\n3\n4\n5\n6\nhit\nhit\n9\n"
	for _, c := range []struct {
		context int
		want    string
	}{
		{0, "2:hit\n--\n7:hit\n8:hit\n"},
		{1, "1-1\n2:hit\n3-3\n--\n6-6\n7:hit\n8:hit\n9-9\n"},
		{2, "1-1\n2:hit\n3-3\n4-4\n5-5\n6-6\n7:hit\n8:hit\n9-9\n"},
		{9, "1-1\n2:hit\n3-3\n4-4\n5-5\n6-6\n7:hit\n8:hit\n9-9\n"},
	} {
		if _, got := found(t, "hit", text, c.context); got != c.want {
			t.Errorf("context %d:\n%s\nwant\n%s", c.context, got, c.want)
		}
	}
}

func TestATextLargerThanTheWindowKeepsNumbersAndContext(t *testing.T) {
	var text strings.Builder
	var want []string
	for i := 1; text.Len() < 3*windowUsual; i++ {
		if i%50_000 == 0 {
			fmt.Fprintf(&text, "needle %d\n", i)
			want = append(want, fmt.Sprintf("%d-line %d\n%d:needle %d\n%d-line %d\n", i-1, i-1, i, i, i+1, i+1))
		} else {
			fmt.Fprintf(&text, "line %d\n", i)
		}
	}
	for _, pattern := range []string{"needle", "ne{2}dle [0-9]", "n[a-e]+dle"} {
		if _, got := found(t, pattern, text.String(), 1); got != strings.Join(want, "--\n") {
			t.Errorf("%s: %d bytes, want %d", pattern, len(got), len(strings.Join(want, "--\n")))
		}
	}
}

func TestEveryHitNearEveryWindowBoundaryIsFoundWithItsContext(t *testing.T) {
	line := strings.Repeat("x", 1021) // 1022 bytes with its newline: boundaries fall everywhere in a line
	for shift := range 6 {
		var text strings.Builder
		text.WriteString(strings.Repeat("y", shift*100) + "\n")
		for text.Len() < windowUsual+1<<20 {
			text.WriteString(line + "\n")
		}
		lines := strings.Count(text.String(), "\n")
		matches, shown := found(t, "x$", text.String(), 2)
		if len(matches) != lines-1 || strings.Contains(shown, "--\n") {
			t.Errorf("shift %d: %d matches of %d", shift, len(matches), lines-1)
		}
	}
}

func TestAHugeLineIsOneLine(t *testing.T) {
	text := "a\n" + strings.Repeat("z", 6<<20) + "needle\nb needle\n"
	if matches, _ := found(t, "needle", text, 0); fmt.Sprint(matches) != "[2 3]" {
		t.Error(matches)
	}
}

func TestBinaryTextIsRefused(t *testing.T) {
	e, _ := Compile("a", Options{})
	err := NewSearcher(e, 0, 0).Search(strings.NewReader("a\x00a\n"), func(Line) bool { return true })
	if err != ErrBinary {
		t.Error(err)
	}
}

func TestMultilineMatchesAreShownWhole(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{`begin.*?end`, "x\nbegin\nmid\nend y\nz\nbegin end\n", "2:begin\n3:mid\n4:end y\n--\n6:begin end\n"},
		{`a\n`, "a\nb\n", "1:a\n"},
		{`^b$`, "a\nb\nc", "2:b\n"},
		{`nothing`, "a\n", ""},
		{`x*`, "a\nb\n", "1:a\n2:b\n"},
	} {
		e, err := Compile(c.pattern, Options{Multiline: true})
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		_ = NewSearcher(e, 0, 0).Search(strings.NewReader(c.text), func(line Line) bool {
			if line.Gap {
				out.WriteString("--\n")
			}
			fmt.Fprintf(&out, "%d:%s\n", line.Number, line.Text)
			return true
		})
		if out.String() != c.want {
			t.Errorf("%q: %q, want %q", c.pattern, out.String(), c.want)
		}
	}
}

func TestPatternsOfOtherDialectsAreExplained(t *testing.T) {
	for pattern, want := range map[string]string{
		"(?=a)": "lookahead", `(a)\1`: "backreferences", "foo(": "escape it", "a\nb": "multiline", "[a": "escape it",
	} {
		_, err := Compile(pattern, Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", pattern, err, want)
		}
	}
}

func TestNewlinesAreCountedExactly(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for size := range 200 {
		text := make([]byte, size)
		for i := range text {
			text[i] = []byte{'\n', '\v', '\t', 0, 0x8a, 0x0b, 0xff}[random.Intn(7)]
		}
		if got, want := CountNewlines(text), bytes.Count(text, []byte{'\n'}); got != want {
			t.Fatalf("%q: %d, want %d", text, got, want)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	text := bytes.Repeat([]byte("func (s *Searcher) before(text []byte, start int) bool { return from < start }\n"), 30_000)
	for _, pattern := range []string{"needle_xyz", "needle_[a-z]+ found", "[a-z]+_[a-z]+ found", "(?i)needle_xyz"} {
		b.Run(pattern, func(b *testing.B) {
			e, _ := Compile(pattern, Options{})
			s := NewSearcher(e, 0, 0)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				_ = s.Search(bytes.NewReader(text), func(Line) bool { return true })
			}
		})
	}
}
