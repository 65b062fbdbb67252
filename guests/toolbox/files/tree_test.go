package files

import (
	"fmt"
	"strings"
	"testing"
)

func TestTreeShowsDirectoriesFirstWithSizes(t *testing.T) {
	root := tree(t, map[string]string{
		".git/HEAD": "x", ".gitignore": "*.log\nout/\n", ".env": "", "b.txt": "12345", "a.go": strings.Repeat("x", 1234), "z/inner/deep/leaf": "1",
		"z/inner/deep/.dot": "", "c/x.log": "", "c/y": "", "out/o": "", "lnk": "-> b.txt", "empty/": "", "new\nline": "",
	})
	for _, c := range []struct {
		args args
		want string
	}{
		{args{}, `c/
  y  0 B
empty/
z/
  inner/
    deep/  (1 entry)
a.go  1.2 kB
b.txt  5 B
lnk -> b.txt
new\nline  0 B
[5 directories, 5 files; 4 hidden ("hidden": true shows them); 2 ignored by git ("ignored": true shows them)]`},
		{args{"depth": 1, "limit": 2}, "c/  (1 entry)\nempty/\n[3 directories, 4 files; 3 hidden (\"hidden\": true shows them); 2 ignored by git (\"ignored\": true shows them)]\n[5 lines more; continue with offset 2]"},
		{args{"depth": 1, "offset": 5, "ignored": true, "hidden": true, "limit": 3}, ".env  0 B\n.gitignore  11 B\na.go  1.2 kB\n[5 directories, 6 files]\n[3 lines more; continue with offset 8]"},
		{args{"path": "z/inner/deep", "hidden": true}, ".dot  0 B\nleaf  1 B\n[0 directories, 2 files]"},
		{args{"path": "empty"}, "[empty holds nothing to show]\n[0 directories, 0 files]"},
		{args{"path": "out"}, "o  0 B\n[0 directories, 1 file]"},
		{args{"path": "z", "offset": 9}, "[offset 9 is past the end: there are 3 lines]\n[2 directories, 1 file; 1 hidden (\"hidden\": true shows them)]"},
	} {
		t.Run(fmt.Sprint(c.args), func(t *testing.T) { wantContent(t, call(t, Tree, root, c.args), c.want) })
	}
	wantError(t, call(t, Tree, root, args{"path": "a.go"}), "not_a_directory", "show it with read")
	wantError(t, call(t, Tree, root, args{"path": "nothing"}), "not_found", "nothing")
	wantError(t, call(t, Tree, root, args{"depth": -1}), "invalid_arguments", "depth")
}

func TestTheAnswerOfTreeStaysWithinItsBound(t *testing.T) {
	files := map[string]string{}
	for i := range 500 {
		files[fmt.Sprintf("d%02d/%s%03d", i%20, strings.Repeat("n", 100), i)] = ""
	}
	res := callBounded(t, Tree, tree(t, files), args{"limit": 1000}, 8<<10)
	if data := res.Data.(*treeData); !res.Truncated || data.Total != 520 || data.Shown < 20 {
		t.Errorf("%+v", data)
	}
	wantParts(t, res, "more; continue with offset")
}

func TestSizesHaveTwoDigitsAtLeast(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 9949: "9.9 kB", 9951: "10 kB", 999_499: "999 kB", 999_501: "1.0 MB",
		1 << 40: "1.1 TB", 1<<63 - 1: "9.2 EB"} {
		if got := sized(bytes); got != want {
			t.Errorf("%d: %s, want %s", bytes, got, want)
		}
	}
}
