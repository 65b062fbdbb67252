package files

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestGrepShowsMatchesInTheOrderOfPaths(t *testing.T) {
	root := tree(t, map[string]string{
		"b.txt": "one\ntwo needle\nthree\nfour\nfive\nsix needle\n", "a/z.go": "Needle\nneedle needle\r\n", "c.bin": "needle\x00", "a.py": "x = 'needle'",
		".git/x": "needle", ".hidden": "needle\n", "link": "-> b.txt", "ü/w ü.md": "grüße needle 世界\n",
	})
	for _, c := range []struct {
		name string
		args args
		want string
	}{
		{"content", args{"pattern": "needle"},
			".hidden:1:needle\na/z.go:2:needle needle\na.py:1:x = 'needle'\nb.txt:2:two needle\nb.txt:6:six needle\nü/w ü.md:1:grüße needle 世界"},
		{"files", args{"pattern": "needle", "mode": "files"}, ".hidden\na/z.go\na.py\nb.txt\nü/w ü.md"},
		{"count", args{"pattern": "needle", "mode": "count", "path": "b.txt"}, "b.txt:2"},
		{"counts", args{"pattern": "needle", "mode": "count", "type": "go", "ignore_case": true}, "a/z.go:2"},
		{"context", args{"pattern": "needle", "path": "b.txt", "context": 1},
			"b.txt-1-one\nb.txt:2:two needle\nb.txt-3-three\n--\nb.txt-5-five\nb.txt:6:six needle"},
		{"context across files", args{"pattern": "(?i)^needle|needle'", "context": 1, "glob": "{a.py,*.go}"},
			"a/z.go:1:Needle\na/z.go:2:needle needle\n--\na.py:1:x = 'needle'"},
		{"type", args{"pattern": "needle", "type": "py"}, "a.py:1:x = 'needle'"},
		{"type by another name", args{"pattern": "needle", "type": "python"}, "a.py:1:x = 'needle'"},
		{"glob of names", args{"pattern": "needle", "glob": "*.go"}, "a/z.go:2:needle needle"},
		{"glob of paths", args{"pattern": "needle", "glob": "a/*"}, "a/z.go:2:needle needle"},
		{"glob that excludes", args{"pattern": "needle", "glob": "!*.{txt,go,md}"}, ".hidden:1:needle\na.py:1:x = 'needle'"},
		{"a directory", args{"pattern": "needle", "path": "a"}, "a/z.go:2:needle needle"},
		{"a link named", args{"pattern": "six", "path": "link"}, "link:6:six needle"},
		{"an expression", args{"pattern": `^\w+ needle$`}, "a/z.go:2:needle needle\nb.txt:2:two needle\nb.txt:6:six needle"},
		{"beyond ASCII", args{"pattern": "GRÜSSE|GRÜßE", "ignore_case": true}, "ü/w ü.md:1:grüße needle 世界"},
		{"several lines", args{"pattern": "two.*four", "multiline": true}, "b.txt:2:two needle\nb.txt:3:three\nb.txt:4:four"},
		{"nothing", args{"pattern": "absent"}, "[no matches in 6 files; 1 binary file skipped]"},
		{"nothing to search", args{"pattern": "x", "glob": "*.rs"}, "[no matches in 0 files; glob *.rs is relative to .]"},
		{"a binary file by name", args{"pattern": "needle", "path": "c.bin"}, "[no matches in 1 file; 1 binary file skipped]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantContent(t, call(t, Grep, root, c.args), c.want)
		})
	}
}

func TestGrepReportsItsCountsAsData(t *testing.T) {
	root := tree(t, map[string]string{"a": "x\nx\n", "b": "x\n", "c": "y\n"})
	for mode, want := range map[string]grepData{
		"content": {Mode: "content", Matches: 3, Files: 2, Searched: 3},
		"files":   {Mode: "files", Matches: 2, Files: 2, Searched: 3, Paths: []string{"a", "b"}},
		"count":   {Mode: "count", Matches: 3, Files: 2, Searched: 3, Counts: []grepCount{{"a", 2}, {"b", 1}}},
	} {
		if got := *call(t, Grep, root, args{"pattern": "x", "mode": mode}).Data.(*grepData); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestGrepStopsAtItsLimitAndSaysSo(t *testing.T) {
	root := tree(t, map[string]string{"a": "x1\nx2\nc\nd\nx3\n", "b": "x4\n", "c": "x5\n"})
	for _, c := range []struct {
		args args
		want string
	}{
		{args{"pattern": "x", "limit": 2}, "a:1:x1\na:2:x2\n[limit of 2 reached; more exist: continue with offset 2, or narrow with path, glob or type]"},
		{args{"pattern": "x", "limit": 2, "context": 1}, "a:1:x1\na:2:x2\na-3-c\n[limit of 2 reached; more exist: continue with offset 2, or narrow with path, glob or type]"},
		{args{"pattern": "x", "limit": 5}, "a:1:x1\na:2:x2\na:5:x3\nb:1:x4\nc:1:x5"},
		{args{"pattern": "x", "limit": 4, "context": 1}, "a:1:x1\na:2:x2\na-3-c\na-4-d\na:5:x3\n--\nb:1:x4\n[limit of 4 reached; more exist: continue with offset 4, or narrow with path, glob or type]"},
		{args{"pattern": "x", "limit": 1, "mode": "files"}, "a\n[limit of 1 reached; more exist: continue with offset 1, or narrow with path, glob or type]"},
		{args{"pattern": "x", "limit": 3, "mode": "files"}, "a\nb\nc"},
		{args{"pattern": "x", "limit": 2, "mode": "count"}, "a:3\nb:1\n[limit of 2 reached; more exist: continue with offset 2, or narrow with path, glob or type]"},
	} {
		res := call(t, Grep, root, c.args)
		wantContent(t, res, c.want)
		if res.Truncated || res.Data.(*grepData).More != strings.Contains(c.want, "more exist") {
			t.Errorf("%v: truncated %v, %+v", c.args, res.Truncated, res.Data)
		}
	}
}

func TestGrepKeepsWithinTheOutputBound(t *testing.T) {
	files := map[string]string{}
	for i := range 100 {
		files[fmt.Sprintf("dir/file%03d", i)] = strings.Repeat("\x01\"needle\"\t<&>\xff\n", 100)
	}
	root := tree(t, files)
	for _, mode := range []string{"content", "files", "count"} {
		for _, bound := range []int{3000, 9000} {
			res := callBounded(t, Grep, root, args{"pattern": "needle", "mode": mode, "limit": 100_000}, bound)
			if data := res.Data.(*grepData); data.Files == 0 || mode == "content" && (!res.Truncated || !data.More) {
				t.Errorf("%s %d: %+v", mode, bound, data)
			}
		}
	}
}

func TestGrepShowsALongLineAroundItsMatch(t *testing.T) {
	root := tree(t, map[string]string{"min.js": strings.Repeat("é", 5000) + "needle" + strings.Repeat("b", 5000) + "\n"})
	res := call(t, Grep, root, args{"pattern": "nee[d]le"})
	wantParts(t, res, "min.js:1:[...] é", "éneedleb", "b [...] [cut: 15,006 bytes]")
	if len(res.Content) > 700 {
		t.Errorf("%d bytes", len(res.Content))
	}
}

func TestGrepReportsWhatItCannotRead(t *testing.T) {
	root := tree(t, map[string]string{"a": "x\n", "closed/b": "x\n", "c": "x\n"})
	wantError(t, call(t, Grep, root, args{"pattern": "x", "path": "none"}), "not_found", "none")
	wantError(t, call(t, Grep, root, args{"pattern": "x("}), "invalid_pattern", "escape it")
	wantError(t, call(t, Grep, root, args{"pattern": "x", "glob": "{a"}), "invalid_pattern", "not closed")
	if os.Getuid() == 0 {
		return // root reads everything
	}
	_ = os.Chmod(filepath.Join(root, "closed"), 0)
	_ = os.Chmod(filepath.Join(root, "c"), 0)
	defer os.Chmod(filepath.Join(root, "closed"), 0o755)
	wantContent(t, call(t, Grep, root, args{"pattern": "x"}),
		"a:1:x\n[2 paths could not be read: c: Permission denied; closed: Permission denied]")
}

func TestGrepHonoursIgnoreFilesAndCanBeToldNotTo(t *testing.T) {
	root := tree(t, map[string]string{".gitignore": "out/\n", "out/a": "x\n", "b": "y\n", ".git/HEAD": "x\n"})
	wantContent(t, call(t, Grep, root, args{"pattern": "x"}),
		"[no matches in 2 files]\n[1 entry is hidden by .gitignore; \"ignored\": true includes them]")
	wantContent(t, call(t, Grep, root, args{"pattern": "x", "ignored": true}), "out/a:1:x")
	wantContent(t, call(t, Grep, root, args{"pattern": "x", "path": "out"}), "out/a:1:x")
	wantContent(t, call(t, Grep, root, args{"pattern": "x", "path": ".git"}), ".git/HEAD:1:x")
}

func BenchmarkGrepTree(b *testing.B) {
	root := b.TempDir()
	text := strings.Repeat("the quick brown fox jumps over the lazy dog; func (x *T) name() error { return nil }\n", 350)
	for i := range 2000 {
		dir := filepath.Join(root, fmt.Sprintf("d%02d", i%40))
		_ = os.MkdirAll(dir, 0o755)
		_ = os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d", i)), []byte(text), 0o644)
	}
	for _, pattern := range []string{"needle_xyz", "n[e]+dle_[a-z]+"} {
		b.Run(pattern, func(b *testing.B) {
			b.SetBytes(int64(2000 * len(text)))
			for b.Loop() {
				res := Grep(grepRequest(root, pattern))
				if !res.OK {
					b.Fatal(res.Error)
				}
			}
		})
	}
}

func TestGrepGoesOnWhereItStopped(t *testing.T) {
	root := tree(t, map[string]string{"a": "c\nx1\nx2\nd\nx3\n", "b": "x4\ne\n"})
	for _, c := range []struct {
		args args
		want string
	}{
		{args{"pattern": "x", "limit": 1, "offset": 1}, "a:3:x2\n[limit of 1 reached; more exist: continue with offset 2, or narrow with path, glob or type]"},
		{args{"pattern": "x", "offset": 3}, "b:1:x4"},
		{args{"pattern": "x", "offset": 4}, "[no matches in 2 files; offset passed over 4]"},
		{args{"pattern": "x", "mode": "files", "offset": 1}, "b"},
		{args{"pattern": "x", "mode": "count", "offset": 1}, "b:1"},
		{args{"pattern": "x1", "before": 1}, "a-1-c\na:2:x1"},
		{args{"pattern": "x2", "after": 1}, "a:3:x2\na-4-d"},
		{args{"pattern": "x2", "context": 2, "before": 0}, "a:3:x2\na-4-d\na-5-x3"},
		{args{"pattern": "x4", "context": 1, "after": 0}, "b:1:x4"},
	} {
		wantContent(t, call(t, Grep, root, c.args), c.want)
	}
	wantError(t, call(t, Grep, root, args{"pattern": "x", "before": -1}), "invalid_arguments", "before")
	wantError(t, call(t, Grep, root, args{"pattern": "x", "offset": -1}), "invalid_arguments", "offset")
}

func TestGrepEndsByItselfBeforeItsTimeIsOver(t *testing.T) {
	files := map[string]string{}
	for i := range 100 {
		files[fmt.Sprintf("f%02d", i)] = "x\n"
	}
	root := tree(t, files)
	req := grepRequest(root, "x")
	req.Call.DeadlineMS = 1
	g, _, ok := newGrepping(req, grepArguments{Pattern: "x"})
	if !ok {
		t.Fatal("no search")
	}
	g.until = time.Unix(0, 1) // long ago
	if err := g.walk.run(root); err != nil {
		t.Fatal(err)
	}
	wantParts(t, g.answer(grepArguments{}), "f30:1:x\n[the search ended early: its time is over after 31 files; narrow with path, glob or type]")
}
