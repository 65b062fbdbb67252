package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteCreatesAndReplacesWholeFiles(t *testing.T) {
	root := tree(t, map[string]string{"old.txt": "a\nb\n", "empty": ""})
	for _, c := range []struct{ path, content, want string }{
		{"new.txt", "x\ny", "created new.txt: 2 lines, 3 bytes"},
		{"old.txt", "z\n", "replaced old.txt: 1 line, 2 bytes"},
		{"deep/er/file", "", "created deep/er/file: 0 lines, 0 bytes"},
		{"empty", "\ufeffa\r\n", "replaced empty: 1 line, 6 bytes"},
		{"./deep/../side.txt", "ü", "created side.txt: 1 line, 2 bytes"},
		{filepath.Join(root, "absolute"), "1", "created absolute: 1 line, 1 byte"},
		{strings.Repeat("n", 255), "1", "created " + strings.Repeat("n", 255) + ": 1 line, 1 byte"},
	} {
		wantContent(t, call(t, Write, root, args{"path": c.path, "content": c.content}), c.want)
		full := c.path
		if !filepath.IsAbs(full) {
			full = filepath.Join(root, c.path)
		}
		if got := slurp(t, full); got != c.content {
			t.Errorf("%s holds %q", c.path, got)
		}
	}
	if got := names(t, root); strings.Contains(got, ".capbox-") {
		t.Error(got)
	}
	res := call(t, Write, root, args{"path": "old.txt", "content": "a\nb"})
	if got := *res.Data.(*writeData); got != (writeData{"old.txt", false, 3, 2}) {
		t.Errorf("%+v", got)
	}
}

func TestWriteGoesThroughALinkAndKeepsIt(t *testing.T) {
	root := tree(t, map[string]string{"real/f": "old", "link": "-> real/f", "dirlink": "-> real"})
	wantContent(t, call(t, Write, root, args{"path": "link", "content": "new"}), "replaced link (through the link, at real/f): 1 line, 3 bytes")
	wantContent(t, call(t, Write, root, args{"path": "dirlink/f", "content": "newer"}), "replaced dirlink/f: 1 line, 5 bytes")
	if link, err := os.Readlink(filepath.Join(root, "link")); err != nil || link != "real/f" || slurp(t, root, "real/f") != "newer" {
		t.Error(link, err)
	}
}

func TestWriteSaysWhyItCannotAndLeavesNothingBehind(t *testing.T) {
	root := tree(t, map[string]string{"dir/": "", "file": "x", "dangling": "-> nowhere", "loop": "-> loop", "full/sub/x": ""})
	before := names(t, root)
	for _, c := range []struct{ path, code, part string }{
		{"dir", "is_directory", ""},
		{"dir/", "is_directory", "file name"},
		{"new/", "is_directory", "file name"},
		{".", "is_directory", ""},
		{"file/below", "not_a_directory", ""},
		{"dangling", "not_found", "nowhere"},
		{"loop", "link_loop", ""},
		{"dir/" + strings.Repeat("n", 300), "invalid_arguments", "too long"},
	} {
		t.Run(c.path[:min(len(c.path), 20)], func(t *testing.T) {
			wantError(t, call(t, Write, root, args{"path": c.path, "content": "y"}), c.code, c.part)
		})
	}
	if names(t, root) != before || names(t, filepath.Join(root, "dir")) != "" || slurp(t, root, "file") != "x" {
		t.Errorf("%s", names(t, root))
	}
}

func TestAFailedReplaceLeavesNoTemporaryFile(t *testing.T) {
	root := tree(t, map[string]string{"taken/x": ""})
	if err := replace(filepath.Join(root, "taken"), []byte("y")); err == nil {
		t.Error("a file replaced a directory that is not empty")
	}
	if names(t, root) != "taken" {
		t.Error(names(t, root))
	}
}
