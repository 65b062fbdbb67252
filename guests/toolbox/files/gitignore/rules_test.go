package gitignore

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The trees are judged by git itself, if it is there, and by the expectation written here.
var cases = []struct {
	name  string
	files map[string]string
	kept  string
}{
	{"names at any depth", map[string]string{".gitignore": "*.log\n", "a.log": "", "d/b.log": "", "d/c": ""}, ".gitignore d/c"},
	{"anchored", map[string]string{".gitignore": "/a\nd/b\n", "a": "", "d/a": "", "d/b": "", "e/d/b": ""}, ".gitignore d/a e/d/b"},
	{"directories only", map[string]string{".gitignore": "build/\n", "build/x": "", "d/build/y": "", "e/build": ""}, ".gitignore e/build"},
	{"negation", map[string]string{".gitignore": "*.log\n!keep.log\n", "a.log": "", "keep.log": "", "d/keep.log": ""}, ".gitignore d/keep.log keep.log"},
	{"no way back from an ignored directory", map[string]string{".gitignore": "d/\n!d/keep\n", "d/keep": "", "x": ""}, ".gitignore x"},
	{"back from ignored contents", map[string]string{".gitignore": "d/*\n!d/keep\n", "d/keep": "", "d/x": ""}, ".gitignore d/keep"},
	{"the deeper file wins", map[string]string{".gitignore": "*.log\n", "d/.gitignore": "!*.log\n", "a.log": "", "d/a.log": "", "d/e/a.log": ""}, ".gitignore d/.gitignore d/a.log d/e/a.log"},
	{"the deeper file is relative to its place", map[string]string{"d/.gitignore": "/x\ny/z\n", "x": "", "d/x": "", "d/e/x": "", "d/y/z": "", "y/z": ""}, "d/.gitignore d/e/x x y/z"},
	{"double stars", map[string]string{".gitignore": "**/t\na/**/z\nm/**\n", "t": "", "x/t": "", "a/z": "", "a/b/c/z": "", "m/n": "", "k": ""}, ".gitignore k"},
	{"stars stay in a component", map[string]string{".gitignore": "/d/*.c\n", "d/a.c": "", "d/e/a.c": ""}, ".gitignore d/e/a.c"},
	{"comments, blanks, escapes", map[string]string{".gitignore": "# a\n\n\\#b\n\\!c\nd   \n", "#b": "", "!c": "", "d": "", "# a": "", "a": ""}, "# a .gitignore a"},
	{"classes", map[string]string{".gitignore": "[ab].[!c]\n", "a.c": "", "a.d": "", "b.d": "", "c.d": ""}, ".gitignore a.c c.d"},
	{"braces are plain", map[string]string{".gitignore": "{a,b}\nx/{c,d}\n", "a": "", "{a,b}": "", "x/{c,d}": "", "x/c": ""}, ".gitignore a x/c"},
	{"CRLF and byte order mark", map[string]string{".gitignore": "\ufeffa\r\nb\r\n", "a": "", "b": "", "c": ""}, ".gitignore c"},
	{"the last rule decides", map[string]string{".gitignore": "!a\na\n!b\nb\n!b\n", "a": "", "b": ""}, ".gitignore b"},
	{"everything but", map[string]string{".gitignore": "/*\n!/src\n!.gitignore\n", "src/a": "", "other": "", "d/x": ""}, ".gitignore src/a"},
	{"an unclosed class matches nothing", map[string]string{".gitignore": "[a\nb\n", "[a": "", "a": "", "b": ""}, ".gitignore [a a"},
	{"a slash in the middle anchors", map[string]string{".gitignore": "a/b/\n", "a/b/c": "", "x/a/b/c": ""}, ".gitignore x/a/b/c"},
}

func TestWhatGitIgnoresIsIgnored(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			for name, content := range c.files {
				full := filepath.Join(root, name)
				_ = os.MkdirAll(filepath.Dir(full), 0o755)
				if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got := strings.Join(kept(root, root, nil), " "); got != c.kept {
				t.Errorf("kept %s, want %s", got, c.kept)
			}
			if got, ok := keptByGit(t, root); ok && strings.Join(got, " ") != c.kept {
				t.Errorf("git keeps %s, expected %s", strings.Join(got, " "), c.kept)
			}
		})
	}
}

// kept is the smallest walk there is.
func kept(root, directory string, level *Level) []string {
	text, _ := os.ReadFile(filepath.Join(directory, ".gitignore"))
	level = level.Below(directory, Parse(string(text)))
	var out []string
	entries, _ := os.ReadDir(directory)
	for _, entry := range entries {
		if entry.Name() == ".git" {
			continue
		}
		full := filepath.Join(directory, entry.Name())
		if level.Ignored(full, entry.Name(), entry.IsDir()) {
			continue
		}
		if entry.IsDir() {
			out = append(out, kept(root, full, level)...)
		} else {
			relative, _ := filepath.Rel(root, full)
			out = append(out, relative)
		}
	}
	slices.Sort(out)
	return out
}

func keptByGit(t *testing.T, root string) ([]string, bool) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		return nil, false
	}
	git := func(arguments ...string) string {
		command := exec.Command("git", append([]string{"-c", "core.excludesFile=/dev/null", "-c", "core.quotePath=false"}, arguments...)...)
		command.Dir = root
		command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + root, "GIT_CONFIG_NOSYSTEM=1"}
		out, err := command.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	git("init", "-q", "--template=")
	out := strings.Split(strings.TrimSuffix(git("ls-files", "-z", "--others", "--exclude-standard"), "\x00"), "\x00")
	slices.Sort(out)
	return out, true
}
