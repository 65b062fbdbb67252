package pattern

import (
	"regexp"
	"strings"
	"testing"
)

func TestTheRequiredTextIsInEveryMatch(t *testing.T) {
	for _, one := range []struct {
		source, want string
		exact        bool
	}{
		{`needle`, "needle", true},
		{`a\.b`, "a.b", true},
		{`(?s)needle`, "needle", true},
		{`^needle$`, "needle", false},
		{`ab*needle+`, "needl", false},
		{`x(need)le`, "need", false},
		{`(long enough)+x`, "long enough", false},
		{`a|b`, "", false},
		{`(?i)needle`, "", false},
		{`(needle)?`, "", false},
		{`[ab]`, "", false},
		{``, "", false},
	} {
		text, exact := required(one.source)
		if text != one.want || exact != one.exact {
			t.Errorf("%s: got %q, %v", one.source, text, exact)
		}
	}
}

func TestALiteralMatchesAsItsExpressionDoes(t *testing.T) {
	for _, text := range []string{"aXaaXa", "", "aa", "aaa", "\xe2aa\xc3"} {
		p, err := Compile("aa", Basic, Options{})
		if err != nil || !p.exact {
			t.Fatal("no literal", err)
		}
		for _, limit := range []int{-1, 1} {
			got, want := p.FindAll([]byte(text), limit), regexp.MustCompile("aa").FindAllSubmatchIndex([]byte(text), limit)
			if len(got) != len(want) || len(got) > 0 && (got[0][0] != want[0][0] || got[len(got)-1][1] != want[len(got)-1][1]) {
				t.Errorf("%q: got %v, want %v", text, got, want)
			}
		}
		if p.Match([]byte(text)) != strings.Contains(text, "aa") {
			t.Errorf("Match(%q)", text)
		}
	}
}
