package files

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// globbed gives the paths in alphabetical order; tests of the order look at the content.
func globbed(t *testing.T, root string, arguments args) string {
	t.Helper()
	res := call(t, Glob, root, arguments)
	if !res.OK {
		t.Fatalf("%+v", res.Error)
	}
	paths := slices.Sorted(slices.Values(res.Data.(*globData).Paths))
	return strings.Join(paths, " ")
}

func TestGlobFindsFilesByPattern(t *testing.T) {
	root := tree(t, map[string]string{
		"a.go": "", "b.md": "", "src/c.go": "", "src/deep/er/d.go": "", "src/e.ts": "", "src/f.tsx": "", ".hidden/g.go": "",
		".git/config": "", ".git/h.go": "", "with space/ü.go": "", "lnk": "-> src", "a.lnk": "-> a.go", "loop/self": "-> ../loop", "empty/": "",
	})
	for _, c := range []struct {
		args args
		want string
	}{
		{args{"pattern": "*.go"}, "a.go"},
		{args{"pattern": "**/*.go"}, ".hidden/g.go a.go src/c.go src/deep/er/d.go with space/ü.go"},
		{args{"pattern": "src/**/*.go"}, "src/c.go src/deep/er/d.go"},
		{args{"pattern": "**/*.{ts,tsx}"}, "src/e.ts src/f.tsx"},
		{args{"pattern": "*.go", "path": "src"}, "src/c.go"},
		{args{"pattern": "./src/../*.md"}, "b.md"},
		{args{"pattern": "../*.md", "path": "src"}, "b.md"},
		{args{"pattern": "{src,.hidden}/*.go"}, ".hidden/g.go src/c.go"},
		{args{"pattern": "a.*"}, "a.go a.lnk"},
		{args{"pattern": "src/*/"}, "src/deep/"},
		{args{"pattern": "**/.git/*.go"}, ".git/h.go"},
		{args{"pattern": ".git/*"}, ".git/config .git/h.go"},
		{args{"pattern": "lnk/*.go"}, "lnk/c.go"},
		{args{"pattern": "loop/**"}, "loop/self"},
		{args{"pattern": "nothing/**/*.go"}, ""},
		{args{"pattern": "src/c.go"}, "src/c.go"},
		{args{"pattern": filepath.Join(root, "src") + "/*.ts"}, "src/e.ts"},
	} {
		if got := globbed(t, root, c.args); got != c.want {
			t.Errorf("%v: %s, want %s", c.args, got, c.want)
		}
	}
}

func TestGlobShowsTheNewest250AndCountsTheRest(t *testing.T) {
	root := t.TempDir()
	for i := range 300 {
		full := filepath.Join(root, fmt.Sprintf("f%03d", i))
		_ = os.WriteFile(full, nil, 0o644)
		_ = os.Chtimes(full, time.Time{}, time.Unix(int64(1_000_000+i), 0))
	}
	res := call(t, Glob, root, args{"pattern": "*"})
	lines := strings.Split(res.Content, "\n")
	if len(lines) != 251 || lines[0] != "f299" || lines[249] != "f050" || lines[250] != "[250 shown, newest first; 50 more: continue with offset 250, or narrow the pattern or the path]" {
		t.Errorf("%d lines: %s ... %s", len(lines), lines[0], lines[len(lines)-1])
	}
	if data := res.Data.(*globData); data.Total != 300 || len(data.Paths) != 250 || res.Truncated {
		t.Errorf("%+v", data)
	}
	small := callBounded(t, Glob, root, args{"pattern": "*"}, 4000)
	if data := small.Data.(*globData); data.Total != 300 || len(data.Paths) == 0 || len(data.Paths) > 200 || !small.Truncated {
		t.Errorf("%d", len(data.Paths))
	}
}

func TestGlobLeavesOutWhatGitIgnoresUnlessAsked(t *testing.T) {
	root := tree(t, map[string]string{
		"repo/.git/HEAD": "", "repo/.gitignore": "*.log\nnode_modules/\n/build\n", "repo/a.log": "", "repo/a.txt": "",
		"repo/node_modules/m/x.txt": "", "repo/build/y.txt": "", "repo/src/.gitignore": "!keep.log\n/gen.txt\n", "repo/src/keep.log": "",
		"repo/src/gen.txt": "", "repo/src/sub/gen.txt": "", "repo/src/z.log": "",
		".gitignore": "*.txt\n", // outside the repository: does not count
	})
	cwd := filepath.Join(root, "repo")
	for _, c := range []struct {
		args args
		want string
	}{
		{args{"pattern": "**/*"}, ".gitignore a.txt src/.gitignore src/keep.log src/sub/gen.txt"},
		{args{"pattern": "**/*.log", "ignored": true}, "a.log src/keep.log src/z.log"},
		{args{"pattern": "*", "path": "src"}, "src/.gitignore src/keep.log"},
		{args{"pattern": "**/*.txt", "path": "node_modules"}, "node_modules/m/x.txt"},
		{args{"pattern": "node_modules/m/*"}, "node_modules/m/x.txt"},
		{args{"pattern": "build/*"}, "build/y.txt"},
	} {
		if got := globbed(t, cwd, c.args); got != c.want {
			t.Errorf("%v: %s, want %s", c.args, got, c.want)
		}
	}
	if got := globbed(t, root, args{"pattern": "*.txt", "path": "repo/src/sub"}); got != "repo/src/sub/gen.txt" {
		t.Error(got)
	}
	wantParts(t, call(t, Glob, cwd, args{"pattern": "*.log"}), "no files match *.log here; **/*.log searches below", "hidden by .gitignore")
}

func TestGlobExplainsAnEmptyAnswerAndErrors(t *testing.T) {
	root := tree(t, map[string]string{"dir/x": "", "f": ""})
	wantParts(t, call(t, Glob, root, args{"pattern": "d*"}), "1 directory does: end the pattern with /")
	wantError(t, call(t, Glob, root, args{"pattern": "*", "path": "nowhere"}), "not_found", "nowhere")
	wantError(t, call(t, Glob, root, args{"pattern": "*", "path": "f"}), "not_a_directory", "f")
	wantError(t, call(t, Glob, root, args{"pattern": "[a"}), "invalid_pattern", "not closed")
	wantError(t, call(t, Glob, root, args{"pattern": "*/../x"}), "invalid_pattern", "..")
}

func TestADeepTreeIsWalkedToItsEnd(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, strings.Repeat("d/", 400))
	_ = os.MkdirAll(deep, 0o755)
	_ = os.WriteFile(filepath.Join(deep, "leaf.txt"), []byte("needle\n"), 0o644)
	if got := globbed(t, root, args{"pattern": "**/leaf.txt"}); got != strings.Repeat("d/", 400)+"leaf.txt" {
		t.Error(len(got))
	}
	wantParts(t, call(t, Grep, root, args{"pattern": "needle"}), "leaf.txt:1:needle")
}

func TestTheExcludeFileOfARepositoryCountsAndRepositoriesInsideStartAnew(t *testing.T) {
	root := tree(t, map[string]string{
		".git/info/exclude": "*.tmp\n/top\n!c.log\n", ".gitignore": "*.log\n!b.tmp\n", "a.tmp": "", "b.tmp": "", "c.log": "", "d/top": "", "top": "",
		"inner/.git/HEAD": "", "inner/a.tmp": "", "inner/b.log": "", "inner/.gitignore": "x\n", "inner/x": "", "inner/d/x": "",
	})
	for path, want := range map[string]string{
		".":     ".gitignore b.tmp d/top inner/.gitignore inner/a.tmp inner/b.log",
		"d":     "d/top",
		"inner": "inner/.gitignore inner/a.tmp inner/b.log",
	} {
		if got := globbed(t, root, args{"pattern": "**", "path": path}); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestGlobSortsPagesAndChooses(t *testing.T) {
	root := tree(t, map[string]string{"B.Go": "", "a.go": "", "Src/c.GO": "", "Src/d/": "", ".h/e.go": "", "x[1].go": ""})
	_ = os.Chtimes(filepath.Join(root, "a.go"), time.Time{}, time.Unix(1, 0))
	for _, c := range []struct {
		args args
		want string
	}{
		{args{"pattern": "*.go", "ignore_case": true, "sort": "name"}, "B.Go\na.go\nx[1].go"},
		{args{"pattern": "src/*.go", "ignore_case": true}, "Src/c.GO"},
		{args{"pattern": "src/*.go"}, "[no files match src/*.go]"},
		{args{"pattern": "[[:upper:]].go", "ignore_case": true, "sort": "name"}, "B.Go\na.go"},
		{args{"pattern": "**/*.go", "hidden": false, "sort": "name"}, "a.go\nx[1].go"},
		{args{"pattern": "**/*.go", "hidden": true, "sort": "name"}, ".h/e.go\na.go\nx[1].go"},
		{args{"pattern": "**", "type": "directory", "sort": "name"}, ".h/\nSrc/\nSrc/d/"},
		{args{"pattern": "*", "type": "any", "sort": "name", "hidden": false}, "B.Go\nSrc/\na.go\nx[1].go"},
		{args{"pattern": "*.go", "sort": "name", "limit": 1}, "a.go\n[1 shown, by name; 1 more: continue with offset 1, or narrow the pattern or the path]"},
		{args{"pattern": "*.go", "sort": "name", "limit": 1, "offset": 1}, "x[1].go"},
		{args{"pattern": "*.go", "offset": 5}, "[offset 5 is past the end: there are 2 paths]"},
		{args{"pattern": "*.go", "limit": 1}, "x[1].go\n[1 shown, newest first; 1 more: continue with offset 1, or narrow the pattern or the path]"},
	} {
		t.Run(fmt.Sprint(c.args), func(t *testing.T) { wantContent(t, call(t, Glob, root, c.args), c.want) })
	}
	wantError(t, call(t, Glob, root, args{"pattern": "*", "type": "link"}), "invalid_arguments", "file, directory or any")
	wantError(t, call(t, Glob, root, args{"pattern": "*", "sort": "size"}), "invalid_arguments", "time or name")
	wantError(t, call(t, Glob, root, args{"pattern": "*", "offset": -1}), "invalid_arguments", "offset")
}
