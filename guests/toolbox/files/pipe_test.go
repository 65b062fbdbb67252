//go:build !wasip1

package files

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestPipesAreRefusedAtOnceAndPassedOverInSearches(t *testing.T) {
	root := tree(t, map[string]string{"a": "x\n"})
	if err := syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, call(t, Read, root, args{"path": "pipe"}), "not_a_file", "pipe")
	wantError(t, call(t, Write, root, args{"path": "pipe", "content": "x"}), "not_a_file", "pipe")
	wantError(t, call(t, Edit, root, args{"path": "pipe", "old": "x", "new": "y"}), "not_a_file", "pipe")
	wantError(t, call(t, Grep, root, args{"pattern": "x", "path": "pipe"}), "not_a_file", "pipe")
	wantContent(t, call(t, Grep, root, args{"pattern": "x"}), "a:1:x")
	wantContent(t, call(t, Glob, root, args{"pattern": "*"}), "a")
}

func TestAReplacedFileLosesItsOtherNamesAndTheAnswerSaysSo(t *testing.T) {
	root := tree(t, map[string]string{"a": "x\n"})
	if err := os.Link(filepath.Join(root, "a"), filepath.Join(root, "b")); err != nil {
		t.Fatal(err)
	}
	wantContent(t, call(t, Write, root, args{"path": "a", "content": "y\n"}),
		"replaced a (its other hard links keep the old text): 1 line, 2 bytes")
	if slurp(t, root, "b") != "x\n" {
		t.Error("the other name changed too")
	}
}

func TestATemporaryNameIsTheOneTheHostExpects(t *testing.T) {
	root := t.TempDir()
	name, file, err := createBeside(filepath.Join(root, "notes.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	if ok, _ := filepath.Match(".capbox-????????????????-notes.txt.tmp", filepath.Base(name)); !ok {
		t.Error(name)
	}
}
