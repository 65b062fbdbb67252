package files

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const twelve = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\neleven\ntwelve\n"

func TestAPatchIsAppliedToEveryFile(t *testing.T) {
	for _, c := range []struct {
		name, patch  string
		before, want map[string]string
		says         string
	}{
		{"one hunk", "--- a/f\n+++ b/f\n@@ -1,3 +1,4 @@\n one\n-two\n+TWO\n+2\n three\n",
			map[string]string{"f": twelve}, map[string]string{"f": strings.Replace(twelve, "two\n", "TWO\n2\n", 1)}, "modified f: +2 -1"},
		{"two hunks and git's headers", "diff --git a/f b/f\nindex 12..34 100644\n--- a/f\n+++ b/f\n@@ -1,2 +1 @@ ctx\n one\n-two\n@@ -11,2 +10,3 @@\n eleven\n+x\n twelve\n",
			map[string]string{"f": twelve}, map[string]string{"f": strings.Replace(strings.Replace(twelve, "two\n", "", 1), "twelve", "x\ntwelve", 1)}, "modified f: +1 -1"},
		{"several files, one made, one deleted", "--- /dev/null\n+++ b/d/new\n@@ -0,0 +1,2 @@\n+a\n+b\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-y\n+z\n",
			map[string]string{"gone": "x\n", "f": "y\n"}, map[string]string{"d/new": "a\nb\n", "f": "z\n"}, "created d/new: 2 lines\ndeleted gone\nmodified f: +1 -1"},
		{"a rename with a change", "diff --git a/old b/d/new name\nsimilarity index 90%\nrename from old\nrename to d/new name\n--- a/old\n+++ b/d/new name\n@@ -2 +2 @@\n-two\n+2\n",
			map[string]string{"old": "one\ntwo\n"}, map[string]string{"d/new name": "one\n2\n"}, "renamed old to d/new name: +1 -1"},
		{"a rename alone", "diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n",
			map[string]string{"old": "one\n"}, map[string]string{"new": "one\n"}, "renamed old to new"},
		{"a copy", "diff --git a/x b/y\ncopy from x\ncopy to y\n--- a/x\n+++ b/y\n@@ -1 +1 @@\n-1\n+2\n",
			map[string]string{"x": "1\n"}, map[string]string{"x": "1\n", "y": "2\n"}, "copied x to y: +1 -1"},
		{"an empty file made and one deleted", "diff --git a/e b/e\nnew file mode 100644\nindex 0000000..e69de29\ndiff --git a/g b/g\ndeleted file mode 100644\nindex e69de29..0000000\n",
			map[string]string{"g": ""}, map[string]string{"e": ""}, "created e: 0 lines\ndeleted g"},
		{"no newline at the end, old", "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n",
			map[string]string{"f": "a\nb"}, map[string]string{"f": "a\nc\n"}, ""},
		{"no newline at the end, new", "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n",
			map[string]string{"f": "a\nb\n"}, map[string]string{"f": "a\nc"}, ""},
		{"no newline in the file, unsaid", "--- f\n+++ f\n@@ -1,2 +1,2 @@\n-a\n+A\n b\n", map[string]string{"f": "a\nb"}, map[string]string{"f": "A\nb"}, ""},
		{"a line behind one without newline", "--- f\n+++ f\n@@ -1,2 +1,3 @@\n a\n b\n+c\n", map[string]string{"f": "a\nb"}, map[string]string{"f": "a\nb\nc\n"}, ""},
		{"an offset", "--- a/f\n+++ b/f\n@@ -2,2 +2,2 @@\n eight\n-nine\n+9\n@@ -5,1 +5,1 @@\n-twelve\n+12\n",
			map[string]string{"f": twelve}, map[string]string{"f": "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n9\nten\neleven\n12\n"}, "[hunk 1 of 2 was found at line 8, 6 lines from where its header says]"},
		{"wrong counts", "--- a/f\n+++ b/f\n@@ -1,9 +1,9 @@\n one\n-two\n+2\n three\n--- a/g\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n",
			map[string]string{"f": twelve, "g": "a\n"}, map[string]string{"f": strings.Replace(twelve, "two", "2", 1), "g": "b\n"}, "counts in the header of hunk 1 of 1 were wrong"},
		{"counts too small", "--- a/f\n+++ b/f\n@@ -1,1 +1,1 @@\n one\n-two\n+2\n", map[string]string{"f": twelve}, map[string]string{"f": strings.Replace(twelve, "two", "2", 1)}, "were wrong"},
		{"no numbers", "--- a/f\n+++ b/f\n@@ def f @@\n five\n-six\n+6\n", map[string]string{"f": twelve}, map[string]string{"f": strings.Replace(twelve, "six", "6", 1)}, "modified f: +1 -1"},
		{"dashes are content", "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n--- x\n+++ y\n z\n", map[string]string{"f": "-- x\nz\n"}, map[string]string{"f": "++ y\nz\n"}, ""},
		{"CRLF in the file", "--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n a\n+x\n b\n", map[string]string{"f": "a\r\nb\r\n"}, map[string]string{"f": "a\r\nx\r\nb\r\n"}, ""},
		{"CRLF in the patch too", "--- a/f\r\n+++ b/f\r\n@@ -1,2 +1,3 @@\r\n a\r\n+x\r\n b\r\n", map[string]string{"f": "a\r\nb\r\n"}, map[string]string{"f": "a\r\nx\r\nb\r\n"}, ""},
		{"a byte order mark", "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n", map[string]string{"f": "\ufeffa\n"}, map[string]string{"f": "\ufeffb\n"}, ""},
		{"a mail around it", "From: me\n\nHello - this\n---\n f | 2 +-\n\ndiff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n-- \n2.39.5\n\n", map[string]string{"f": "a\n"}, map[string]string{"f": "b\n"}, ""},
		{"times behind tabs", "--- f.orig\t2024-01-01 00:00:00\n+++ f\t2024-01-02 00:00:00\n@@ -1 +1 @@\n-a\n+b\n", map[string]string{"f": "a\n"}, map[string]string{"f": "b\n"}, ""},
		{"a quoted name", "--- \"a/gr\\303\\274n\"\n+++ \"b/gr\\303\\274n\"\n@@ -1 +1 @@\n-a\n+b\n", map[string]string{"grün": "a\n"}, map[string]string{"grün": "b\n"}, ""},
		{"the same file twice", "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-b\n+c\n", map[string]string{"f": "a\n"}, map[string]string{"f": "c\n"}, "+2 -2"},
		{"a blank line of context without its space", "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n", map[string]string{"f": "a\n\nb\n"}, map[string]string{"f": "a\n\nc\n"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, c.before)
			res := call(t, ApplyPatch, root, args{"patch": c.patch})
			wantParts(t, res, c.says)
			if got := held(t, root); !equalMaps(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestAPatchThatDoesNotFitChangesNothing(t *testing.T) {
	before := map[string]string{"f": twelve, "g": "a\nb\na\nb\n", "d/x": "1\n", "bin": "a\x00\n", "lnk": "-> f"}
	good := "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n+1\n--- /dev/null\n+++ b/new/er\n@@ -0,0 +1 @@\n+x\n"
	for _, c := range []struct{ name, patch, code, part string }{
		{"other lines", "--- a/f\n+++ b/f\n@@ -5,3 +5,3 @@\n five\n-sicks\n+6\n seven\n", "no_match",
			"f: hunk 1 of 1 (@@ -5,3 +5,3 @@) does not apply: its old lines do not stand in the file. The nearest is line 5 (- what was given, + what the file has):\n     5\t five\n      \t-sicks\n     6\t+six\n     7\t seven"},
		{"white space", "--- a/f\n+++ b/f\n@@ -5,2 +5,2 @@\n five\n-  six\n+6\n", "no_match", "white space (indentation)"},
		{"ambiguous", "--- a/g\n+++ b/g\n@@ -2,1 +2,1 @@\n-a\n+c\n", "no_match", "several places, and not where the header says: add lines of context (lines 1 3)"},
		{"out of order", "--- a/f\n+++ b/f\n@@ -9 +9 @@\n-nine\n+9\n@@ -2 +2 @@\n-two\n+2\n", "no_match", "hunk 2 of 2"},
		{"no context", "--- a/f\n+++ b/f\n@@ -5,0 +6 @@\n+x\n", "no_match", "without any line of context"},
		{"absent", "--- a/h\n+++ b/h\n@@ -1 +1 @@\n-a\n+b\n", "not_found", "h:"},
		{"made where something is", "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n", "exists", "f exists already"},
		{"renamed to what is there", "diff --git a/f b/g\nrename from f\nrename to g\n", "exists", "g exists"},
		{"deleted, but not all of it", "--- a/f\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n", "invalid_patch", "would be left"},
		{"a link deleted", "diff --git a/lnk b/lnk\ndeleted file mode 120000\n", "invalid_patch", "only regular files"},
		{"a link made", "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+f\n\\ No newline at end of file\n", "invalid_patch", "not supported: mode 120000"},
		{"binary", "diff --git a/bin b/bin\nindex 1..2\nGIT binary patch\nliteral 1\n", "invalid_patch", "not supported: a binary patch"},
		{"a binary file", "--- a/bin\n+++ b/bin\n@@ -1 +1 @@\n-a\n+b\n", "not_text", "bin"},
		{"mode alone", "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n", "invalid_patch", "chmod"},
		{"a directory", "--- a/d\n+++ b/d\n@@ -1 +1 @@\n-a\n+b\n", "is_directory", "d is a directory"},
		{"another form", "*** Begin Patch\n*** Update File: f\n*** End Patch\n", "invalid_patch", "not supported"},
		{"no diff", "hello\n", "invalid_patch", "no file section"},
		{"nothing but context", "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n one\n two\n", "invalid_patch", "changes nothing"},
		{"a hunk alone", "@@ -1 +1 @@\n-a\n+b\n", "invalid_patch", "before its file's"},
		{"in two ways", "--- a/d/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n--- /dev/null\n+++ b/d/x\n@@ -0,0 +1 @@\n+2\n", "invalid_patch", "several sections"},
		{"a newline that is there", "--- a/d/x\n+++ b/d/x\n@@ -1 +1 @@\n-1\n\\ No newline at end of file\n+2\n", "no_match", "d/x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, before)
			patch := c.patch
			if !slices.Contains([]string{"another form", "no diff", "a hunk alone"}, c.name) {
				patch = strings.Replace(good, "-one\n+1", "-three\n+3", 1)
				if !strings.Contains(c.patch, " a/f") && !strings.Contains(c.patch, "/f\n") {
					patch = good
				} else {
					patch = good[strings.Index(good, "--- /dev"):]
				}
				patch += c.patch
			}
			was := held(t, root)
			res := call(t, ApplyPatch, root, args{"patch": patch})
			wantError(t, res, c.code, c.part)
			wantError(t, res, c.code, "Nothing was changed")
			if got := held(t, root); !equalMaps(got, was) {
				t.Errorf("%q, was %q", got, was)
			}
		})
	}
}

func TestWhatAPatchDidIsTakenBackWhenItsLastStepFails(t *testing.T) {
	root := tree(t, map[string]string{"a": "1\n", "b": "2\n", "old": "3\n", "gone": "4\n"})
	plan := func(name, action string) *plannedFile {
		p := place{path: filepath.Join(root, name), shown: name}
		return &plannedFile{action: action, source: p, target: p, path: p.path, done: true}
	}
	changed, moved := plan("a", modified), plan("new", renamed)
	changed.before = []byte("before\n")
	moved.source = place{path: filepath.Join(root, "older"), shown: "older"}
	moved.before = []byte("whole\n")
	_ = os.Rename(filepath.Join(root, "old"), filepath.Join(root, "new"))
	removed := plan("gone", deleted)
	removed.before = []byte("4\n")
	_ = os.Remove(filepath.Join(root, "gone"))
	for _, one := range []*plannedFile{removed, moved, changed, plan("b", created)} {
		if err := one.takeBack(); err != nil {
			t.Error(err)
		}
	}
	if got := held(t, root); fmt.Sprint(got) != fmt.Sprint(map[string]string{"a": "before\n", "older": "whole\n", "gone": "4\n"}) {
		t.Errorf("%q", got)
	}
}

func TestARenamingPatchKeepsTheMode(t *testing.T) {
	root := tree(t, map[string]string{"s.sh": "a\n"})
	_ = os.Chmod(filepath.Join(root, "s.sh"), 0o755)
	call(t, ApplyPatch, root, args{"patch": "diff --git a/s.sh b/t.sh\nrename from s.sh\nrename to t.sh\n"})
	if info, err := os.Stat(filepath.Join(root, "t.sh")); err != nil || info.Mode().Perm() != 0o755 {
		t.Error(err, info)
	}
}

// What `git diff` says between two random trees is applied, and the result compared with the second.
func TestGitsOwnDiffsApply(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	for seed := range 60 {
		before, after := randomVersions(seed)
		root := tree(t, map[string]string{"a/": "", "b/": ""})
		for side, version := range map[string]map[string]string{"a": before, "b": after} {
			for name, text := range version {
				full := filepath.Join(root, side, name)
				_ = os.MkdirAll(filepath.Dir(full), 0o755)
				_ = os.WriteFile(full, []byte(text), 0o644)
			}
		}
		command := exec.Command("git", "diff", "--no-index", fmt.Sprintf("-U%d", seed%4+1), "a", "b")
		command.Dir = root
		diff, _ := command.Output() // exits 1 when there is a difference
		if len(diff) == 0 {
			continue
		}
		text := strings.NewReplacer("a/a/", "a/", "b/b/", "b/", "a/b/", "a/", "b/a/", "b/").Replace(string(diff))
		for _, line := range []string{"rename from a/", "copy from a/"} {
			text = strings.ReplaceAll(text, line, line[:len(line)-2])
		}
		for _, line := range []string{"rename to b/", "copy to b/"} {
			text = strings.ReplaceAll(text, line, line[:len(line)-2])
		}
		res := call(t, ApplyPatch, filepath.Join(root, "a"), args{"patch": text})
		if !res.OK {
			t.Fatalf("seed %d: %+v\n%s", seed, res.Error, text)
		}
		if got := held(t, filepath.Join(root, "a")); !equalMaps(got, after) {
			t.Fatalf("seed %d: %q, want %q\n%s", seed, got, after, text)
		}
	}
}
