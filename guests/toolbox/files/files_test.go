package files

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"capbox/toolbox/abi"
)

type tool func(*abi.Request) abi.Result

type args map[string]any

// call runs a tool as the host would, with a roomy output bound, and checks what holds for every result.
func call(t *testing.T, run tool, cwd string, arguments args) abi.Result {
	t.Helper()
	return callBounded(t, run, cwd, arguments, 1<<20)
}

func callBounded(t *testing.T, run tool, cwd string, arguments args, outputBytesMax int) abi.Result {
	t.Helper()
	raw, err := json.Marshal(arguments)
	if err != nil {
		t.Fatal(err)
	}
	res := run(&abi.Request{Tool: "test", Arguments: raw, Cwd: cwd, Call: abi.Call{OutputBytesMax: outputBytesMax}})
	if res.OK == (res.Error != nil) {
		t.Fatalf("ok and error disagree: %+v", res)
	}
	var out strings.Builder
	if err := abi.Write(&out, res); err != nil {
		t.Fatal(err)
	}
	if out.Len() > outputBytesMax {
		t.Fatalf("the result has %d bytes of JSON, more than %d", out.Len(), outputBytesMax)
	}
	return res
}

// tree writes files below a new directory; a name that ends in a slash is a directory, "->" in the content's place
// makes a link.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		full := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if link, ok := strings.CutPrefix(content, "-> "); ok {
			err = os.Symlink(link, full)
		} else if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(full, 0o755)
		} else {
			err = os.WriteFile(full, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func slurp(t *testing.T, parts ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// names lists a directory, so that forgotten temporary files show.
func names(t *testing.T, directory string) string {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, entry := range entries {
		out = append(out, entry.Name())
	}
	return strings.Join(out, " ")
}

func wantError(t *testing.T, res abi.Result, code, part string) {
	t.Helper()
	if res.OK || res.Error.Code != code || !strings.Contains(res.Error.Message, part) {
		t.Errorf("got %+v %+v, want error %s with %q", res, res.Error, code, part)
	}
}

func wantContent(t *testing.T, res abi.Result, want string) {
	t.Helper()
	if !res.OK {
		t.Errorf("failed: %+v", res.Error)
	} else if res.Content != want {
		t.Errorf("content\n%s\nwant\n%s", res.Content, want)
	}
}

func wantParts(t *testing.T, res abi.Result, parts ...string) {
	t.Helper()
	if !res.OK {
		t.Fatalf("failed: %+v", res.Error)
	}
	for _, part := range parts {
		if !strings.Contains(res.Content, part) {
			t.Errorf("content\n%s\nlacks %q", res.Content, part)
		}
	}
}

func TestArgumentsThatDoNotFitAreRefused(t *testing.T) {
	root := tree(t, map[string]string{"a.txt": "x\n"})
	for _, c := range []struct {
		name string
		run  tool
		args args
	}{
		{"read without a path", Read, args{}},
		{"read with an unknown argument", Read, args{"path": "a.txt", "lines": 3}},
		{"read with a negative offset", Read, args{"path": "a.txt", "offset": -1}},
		{"read with a NUL", Read, args{"path": "a\x00b"}},
		{"write without content", Write, args{"path": "b.txt"}},
		{"edit without edits", Edit, args{"path": "a.txt"}},
		{"edit with an empty old", Edit, args{"path": "a.txt", "old": "", "new": "y"}},
		{"edit that changes nothing", Edit, args{"path": "a.txt", "old": "x", "new": "x"}},
		{"edit without new", Edit, args{"path": "a.txt", "old": "x"}},
		{"edit with both forms", Edit, args{"path": "a.txt", "old": "x", "new": "y", "edits": []args{{"old": "x", "new": "z"}}}},
		{"glob without a pattern", Glob, args{}},
		{"grep without a pattern", Grep, args{}},
		{"grep with an unknown type", Grep, args{"pattern": "x", "type": "cobol85"}},
		{"grep with an unknown mode", Grep, args{"pattern": "x", "mode": "lines"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantError(t, call(t, c.run, root, c.args), "invalid_arguments", "")
		})
	}
	if got := slurp(t, root, "a.txt"); got != "x\n" || names(t, root) != "a.txt" {
		t.Errorf("%q %s", got, names(t, root))
	}
}

func grepRequest(root, pattern string) *abi.Request {
	raw, _ := json.Marshal(args{"pattern": pattern})
	return &abi.Request{Tool: "grep", Arguments: raw, Cwd: root, Call: abi.Call{OutputBytesMax: 1 << 20}}
}
