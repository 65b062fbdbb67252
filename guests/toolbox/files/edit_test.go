package files

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestEditReplacesExactText(t *testing.T) {
	for _, c := range []struct {
		name, text string
		args       args
		want       string
	}{
		{"one word", "a b c\n", args{"old": "b", "new": "X"}, "a X c\n"},
		{"without a last newline", "a\nb", args{"old": "b", "new": "X"}, "a\nX"},
		{"deletes", "a\nb\nc\n", args{"old": "b\n", "new": ""}, "a\nc\n"},
		{"every occurrence", "x y x\nx\n", args{"old": "x", "new": "zz", "all": true}, "zz y zz\nzz\n"},
		{"all of one", "x\n", args{"old": "x", "new": "y", "all": true}, "y\n"},
		{"all does not rescan", "aaa", args{"old": "a", "new": "aa", "all": true}, "aaaaaa"},
		{"no pattern characters", "a.*b\naxxb\n", args{"old": "a.*b", "new": "$1"}, "$1\naxxb\n"},
		{"beyond ASCII", "grüße 世界\n", args{"old": "世", "new": "é"}, "grüße é界\n"},
		{"stray bytes survive", "\xff\xfe?\nb\n", args{"old": "b", "new": "c"}, "\xff\xfe?\nc\n"},
		{"CRLF, several lines", "a\r\nb\r\nc\r\n", args{"old": "a\nb", "new": "x\ny\nz"}, "x\r\ny\r\nz\r\nc\r\n"},
		{"CRLF, one line to two", "a\r\nb\r\n", args{"old": "b", "new": "b\nc"}, "a\r\nb\r\nc\r\n"},
		{"CRLF written out", "a\r\nb\r\n", args{"old": "a\r\nb", "new": "x\r\ny"}, "x\r\ny\r\n"},
		{"LF part of a mixed file", "a\nb\nc\r\nd\n", args{"old": "a\nb", "new": "x\ny"}, "x\ny\nc\r\nd\n"},
		{"CRLF part of a mixed file", "a\nb\nc\r\nd\r\n", args{"old": "c\nd", "new": "x\ny"}, "a\nb\nx\r\ny\r\n"},
		{"byte order mark", "\ufeffa\nb\n", args{"old": "a\n", "new": "x\n"}, "\ufeffx\nb\n"},
		{"a list, in order", "one two\n", args{"edits": []args{{"old": "one", "new": "two"}, {"old": "two two", "new": "three"}}}, "three\n"},
		{"a list with all", "a b a\n", args{"edits": []args{{"old": "a", "new": "b", "all": true}, {"old": "b", "new": "c", "all": true}}}, "c c c\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.HasPrefix(c.text, "\xff\xfe") {
				c.text = "x" + c.text
				c.want = "x" + c.want
			}
			root := tree(t, map[string]string{"f": c.text})
			c.args["path"] = "f"
			res := call(t, Edit, root, c.args)
			if got := slurp(t, root, "f"); !res.OK || got != c.want || names(t, root) != "f" {
				t.Errorf("%q, want %q; %+v", got, c.want, res.Error)
			}
		})
	}
}

func TestAnEditThatDoesNotApplyChangesNothingAndSaysWhere(t *testing.T) {
	text := "package main\n\nfunc add(a, b int) int {\n\treturn a + b\n}\n\nfunc sub(a, b int) int {\n\treturn a - b\n}\n// it’s “quoted”\n"
	for _, c := range []struct {
		name string
		args args
		code string
		part string
	}{
		{"several", args{"old": "a, b int", "new": "x"}, "not_unique", "occurs 2 times (lines 3, 7)"},
		{"overlapping", args{"old": "}\n", "new": "x"}, "not_unique", "lines 5, 9"},
		{"white space", args{"old": "func add(a, b int) int {\n    return a + b", "new": "x"}, "no_match", "white space (indentation: the file has tabs) from lines 3-4"},
		{"white space in a line", args{"old": "add(a,  b int)", "new": "x"}, "no_match", "white space from line 3"},
		{"case", args{"old": "FUNC SUB", "new": "x"}, "no_match", "case from line 7"},
		{"quotes", args{"old": "it's \"quoted\"", "new": "x"}, "no_match", "quotation marks or dashes from line 10"},
		{"line numbers", args{"old": "     3\tfunc add(a, b int) int {\n     4\t\treturn a + b", "new": "x"}, "no_match", "line numbers"},
		{"line endings", args{"old": "func sub(a, b int) int {\r\n\treturn a - b\n", "new": "x"}, "no_match", "white space (line endings) from lines 7-8"},
		{"the end of a line", args{"old": "func sub(a, b int) int { \n\treturn", "new": "x"}, "no_match", "white space (at the end of the line) from lines 7-8"},
		{"several lines, nearly", args{"old": "func sub(a, b int) int {\n\treturn a * b\n}\n", "new": "x"}, "no_match",
			"nearest is line 7 (- what was given, + what the file has):\n     7\t func sub(a, b int) int {\n      \t-\treturn a * b\n     8\t+\treturn a - b\n     9\t }"},
		{"nearly", args{"old": "func sub(a, b float64) int {", "new": "x"}, "no_match", "nearest is line 7:\n     6\t\n     7\tfunc sub(a, b int) int {"},
		{"not at all", args{"old": "class Foo extends Bar", "new": "x"}, "no_match", "No line resembles it"},
		{"second of a list", args{"edits": []args{{"old": "main", "new": "x"}, {"old": "absent text", "new": "y"}}}, "no_match", "edit 2 of 2: f: old was not found"},
		{"undone by the first", args{"edits": []args{{"old": "main", "new": "x"}, {"old": "package main", "new": "y"}}}, "no_match", "None of the edits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, map[string]string{"f": text})
			c.args["path"] = "f"
			wantError(t, call(t, Edit, root, c.args), c.code, c.part)
			if slurp(t, root, "f") != text || names(t, root) != "f" {
				t.Error("the file was touched")
			}
		})
	}
}

func TestAnEditThatMissesByALetterIsShownTheLine(t *testing.T) {
	text := "def compute_total(items, tax_rate):\n    x = sum(items)\n    return x + 1\n\nalpha beta gamma\n"
	for old, want := range map[string]string{
		"alpha bata gamma":                       "The nearest is line 5:\n     4\t\n     5\talpha beta gamma\n",
		"retrun x + 1":                           "The nearest is line 3:\n     2\t    x = sum(items)\n     3\t    return x + 1\n     4\t\n",
		"def compute_totals(items, taxrate):":    "The nearest is line 1:\n     1\tdef compute_total(items, tax_rate):\n     2\t    x = sum(items)\n",
		"def sum_of_squares(numbers, base):":     "No line resembles it: read the file again.",
		"}":                                      "No line resembles it: read the file again.",
		strings.Repeat("alpha bata gamma ", 100): "No line resembles it: read the file again.",
	} {
		root := tree(t, map[string]string{"f": text})
		res := call(t, Edit, root, args{"path": "f", "old": old, "new": "x"})
		if res.Error == nil || res.Error.Message != "f: old was not found. "+want {
			t.Errorf("%s: %+v", old, res.Error)
		}
	}
}

func TestTheNearestLineIsFoundInTime(t *testing.T) {
	text := strings.Repeat(strings.Repeat("alpha bata ", 40)+"\n", hintLinesMax) + "x\n"
	root := tree(t, map[string]string{"f": text})
	begun := time.Now()
	res := call(t, Edit, root, args{"path": "f", "old": strings.Repeat("alphabet ", 50), "new": "x"})
	if took := time.Since(begun); res.OK || took > 5*time.Second {
		t.Errorf("%+v after %s", res.Error, took)
	}
}

func TestEditRefusesWhatIsNoText(t *testing.T) {
	root := tree(t, map[string]string{"bin": "a\x00b", "late": strings.Repeat("a\n", 5000) + "\x00", "dir/": "", "link": "-> real", "real": "old\n"})
	wantError(t, call(t, Edit, root, args{"path": "bin", "old": "a", "new": "b"}), "not_text", "bin")
	wantError(t, call(t, Edit, root, args{"path": "late", "old": "a", "new": "b", "all": true}), "not_text", "NUL")
	wantError(t, call(t, Edit, root, args{"path": "dir", "old": "a", "new": "b"}), "is_directory", "dir")
	wantError(t, call(t, Edit, root, args{"path": "reel", "old": "a", "new": "b"}), "not_found", "Did you mean real? To create it use write.")
	if res := call(t, Edit, root, args{"path": "link", "old": "old", "new": "new"}); !res.OK || slurp(t, root, "real") != "new\n" {
		t.Error(res.Error)
	}
}

func TestEditShowsTheChangedLines(t *testing.T) {
	var text strings.Builder
	for i := range 40 {
		fmt.Fprintf(&text, "line %d\n", i+1)
	}
	root := tree(t, map[string]string{"f": text.String()})
	res := call(t, Edit, root, args{"path": "f", "edits": []args{
		{"old": "line 30\n", "new": "thirty\n"}, {"old": "line 5\n", "new": "five\nand a half\n"}, {"old": "line 1\n", "new": ""}}})
	wantContent(t, res, `edited f: 3 replacements
     1	line 2
     2	line 3
     3	line 4
     4	five
     5	and a half
     6	line 6
     7	line 7
     8	line 8
   ...
    27	line 27
    28	line 28
    29	line 29
    30	thirty
    31	line 31
    32	line 32
    33	line 33`)
	if got := *res.Data.(*editData); got != (editData{"f", 3, 1, len(slurp(t, root, "f"))}) {
		t.Errorf("%+v", got)
	}
}

func TestAnEditOfManyPlacesKeepsItsAnswerShort(t *testing.T) {
	root := tree(t, map[string]string{"f": strings.Repeat(strings.Repeat("y", 1000)+"x\n", 2000)})
	res := callBounded(t, Edit, root, args{"path": "f", "old": "x", "new": "z", "all": true}, 8<<10)
	wantParts(t, res, "2,000 replacements")
	if strings.Contains(slurp(t, root, "f"), "x") {
		t.Error("an occurrence is left")
	}
}

func TestAnEditOfAnEmptiedFileHasNothingToShow(t *testing.T) {
	root := tree(t, map[string]string{"f": "only"})
	wantContent(t, call(t, Edit, root, args{"path": "f", "old": "only", "new": ""}), "edited f: 1 replacement")
}
