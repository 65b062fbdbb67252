package search

import (
	"fmt"
	"math/rand"
	"regexp/syntax"
	"strings"
	"testing"
)

func TestTextsLookedForAtOnceChangeNoAnswer(t *testing.T) {
	atoms := []string{"q_", "(?i:xq)", "(q_|zx)", "(?i:k_|q)", "[a-c]", "é", `\b`, "(?i)Zq", "(_|x|z|q)", "a*", ".", "(?i:ſ_)", "q+", "(zx){2}", "s", "^", "|x_"}
	letters := []string{"q", "Q", "_", "x", "X", "z", "Z", "k", "K", "\u212a", "ſ", "S", "a", "é", "\n", "\n", " ", "\xff", "\r\n"}
	random := rand.New(rand.NewSource(11))
	used := 0
	for range 6000 {
		var pattern, text strings.Builder
		for range 1 + random.Intn(3) {
			pattern.WriteString(atoms[random.Intn(len(atoms))])
		}
		for range random.Intn(40) {
			text.WriteString(letters[random.Intn(len(letters))])
		}
		if e, err := Compile(pattern.String(), Options{}); err == nil && e.several != nil {
			used++
		}
		want := naive(pattern.String(), text.String())
		if got, _ := found(t, pattern.String(), text.String(), 0); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%q in %q: %v, want %v", pattern.String(), text.String(), got, want)
		}
	}
	if used < 500 {
		t.Errorf("only %d patterns were looked for by their texts", used)
	}
}

func TestWhatEveryMatchContainsIsFoundInThePattern(t *testing.T) {
	for pattern, want := range map[string]string{
		"needle|haystuck": "[{needle false} {haystuck false}]", "(?i)Needle_In_Haystack": "[{needle_in_hay true}]", "(?i:ab)|cd*": "[{ab true} {c false}]",
		"a|b|c*": "[]", "x(foo|bar)+y?": "[{foo false} {bar false}]", "(?i)kss": "[]", "[a-c]": "[]", "(foo)?": "[]", "(?i:é)": "[]", "a|bb|ccc|dd|e1": "[]",
		"(?:foo|ba[rz])_tail": "[{_tail false}]",
	} {
		tree, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(requiredAny(tree)); got != want {
			t.Errorf("%s: %s, want %s", pattern, got, want)
		}
	}
}

func TestBytesThatAreCommonInTheTextAreGivenUp(t *testing.T) {
	e, err := Compile("k_a|qk", Options{})
	if err != nil || e.several == nil {
		t.Fatal(err)
	}
	text := strings.Repeat("kkkq_qk\n", 1000) + "xk_ax\n" + strings.Repeat("kkk\n", 3000) + "qk\n"
	var got []int
	for range 2 {
		got = nil
		_ = NewSearcher(e, 0, 0).Search(strings.NewReader(text), func(line Line) bool {
			got = append(got, line.Number)
			return true
		})
	}
	if len(got) != 1002 || got[1000] != 1001 || got[1001] != 4002 || !e.several.tired() {
		t.Errorf("%d lines, tired %v", len(got), e.several.tired())
	}
}
