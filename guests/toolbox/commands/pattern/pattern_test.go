package pattern

import "testing"

func TestPatternsMatchAsGNUToolsReadThem(t *testing.T) {
	for _, one := range []struct {
		text    string
		dialect Dialect
		subject string
		want    string // the match; "-" for none
	}{
		{`a+b`, Basic, "a+b", "a+b"},
		{`a+b`, Basic, "aab", "-"},
		{`a\+b`, Basic, "aab", "aab"},
		{`a+b`, Extended, "aab", "aab"},
		{`a\+b`, Extended, "a+b", "a+b"},
		{`*a`, Basic, "*a", "*a"},
		{`\(a\|b\)c`, Basic, "xbc", "bc"},
		{`(a|ab)(c|bcd)`, Extended, "abcd", "abcd"},
		{`a\{2\}`, Basic, "caaa", "aa"},
		{`a{2,}`, Extended, "caaa", "aaa"},
		{`a{,2}`, Extended, "aaa", "aa"},
		{`a{x`, Extended, "a{x", "a{x"},
		{`[]a]*`, Basic, "]a]b", "]a]"},
		{`[^]]`, Basic, "]x", "x"},
		{`[\n]`, Basic, "a\nb", "\n"},
		{`[\.]`, Basic, `\`, `\`},
		{`[[:digit:]]\+`, Basic, "ab12", "12"},
		{`[a-c&&d]`, Basic, "&", "&"},
		{`^a$`, Basic, "a", "a"},
		{`a^b$c`, Basic, "a^b$c", "a^b$c"},
		{`\<w\>`, Basic, "ww w", "w"},
		{`\(a\)\1`, Basic, "abaa", "aa"},
		{`(a)(b)\2\1`, Extended, "abba", "abba"},
		{`(?<=x)y`, Perl, "yxy", "y"},
		{`k=\K\w+`, Perl, "k=v", "v"},
		{`a.b`, Fixed, "axb a.b", "a.b"},
		{`a**`, Basic, "aaa", "aaa"},
		{`(ab)*?c`, Perl, "ababc", "ababc"},
		{`()`, Extended, "", ""},
	} {
		compiled, err := Compile(one.text, one.dialect, Options{})
		if err != nil {
			t.Errorf("%s: %s", one.text, err)
			continue
		}
		got := "-"
		if m := compiled.Find([]byte(one.subject)); m != nil {
			got = one.subject[m[0]:m[1]]
		}
		if got != one.want {
			t.Errorf("%s on %q: got %q, want %q", one.text, one.subject, got, one.want)
		}
	}
}

func TestWrongPatternsAreErrors(t *testing.T) {
	for _, text := range []string{`\(a`, `a\)`, `[a`, `a\{2,1\}`, `\`, `a\{9999\}`} {
		if _, err := Compile(text, Basic, Options{}); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

func TestBacktrackingGivesByteOffsets(t *testing.T) {
	compiled, err := Compile(`(é)\1`, Extended, Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := compiled.FindAll([]byte("xéé éé"), -1)
	if len(all) != 2 || all[0][0] != 1 || all[0][1] != 5 || all[1][0] != 6 || all[1][1] != 10 {
		t.Errorf("got %v", all)
	}
}
