package commands

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"capbox/toolbox/commands/kit"
)

// invoked runs one command and gives its status and outputs.
func invoked(t *testing.T, dir, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	c := kit.New(context.Background(), args, kit.Streams{In: strings.NewReader(stdin), Out: &out, Err: &err})
	c.Dir = dir
	c.Env = func() kit.Variables { return kit.Variables{"HOME": "/home", "NAME": "value"} }
	c.Which = func(string) string { return "" }
	c.Run = func(args []string, _ kit.Change) int {
		inner := kit.New(context.Background(), args, kit.Streams{Out: &out, Err: &err})
		inner.Dir, inner.Env, inner.Which = dir, c.Env, c.Which
		return Invoke(Find(args[0]), inner)
	}
	status = Invoke(Find(args[0]), c)
	return status, out.String(), err.String()
}

func TestEveryCommandAnswersHelpAndVersion(t *testing.T) {
	for _, name := range Names() {
		status, out, errors := invoked(t, t.TempDir(), "", name, "--help")
		if status != 0 || errors != "" || !strings.HasPrefix(out, "Usage: "+name) {
			t.Errorf("%s --help: %d %q %q", name, status, out, errors)
		}
		status, out, errors = invoked(t, t.TempDir(), "", name, "--version")
		if first, _, _ := strings.Cut(out, "\n"); status != 0 || errors != "" || first == "" {
			t.Errorf("%s --version: %d %q %q", name, status, out, errors)
		}
	}
}

func TestHelpNamesEachFlagOfASpec(t *testing.T) {
	_, out, _ := invoked(t, t.TempDir(), "", "unexpand", "--help")
	for _, flag := range []string{"-a, --all", "-t VALUE, --tabs", "--first-only", "Turn blanks into tabs."} {
		if !strings.Contains(out, flag) {
			t.Errorf("%q is not in %q", flag, out)
		}
	}
}

func TestHelpListsEveryCommandOnceAndExplainsOne(t *testing.T) {
	_, out, _ := invoked(t, t.TempDir(), "", "help")
	words := strings.Fields(out[strings.IndexByte(out, '\n'):])
	for _, name := range Names() {
		if n := len(slices.DeleteFunc(slices.Clone(words), func(word string) bool { return word != name })); n != 1 {
			t.Errorf("%s is listed %d times", name, n)
		}
	}
	if status, out, _ := invoked(t, t.TempDir(), "", "help", "sort"); status != 0 || !strings.HasPrefix(out, "Usage: sort") {
		t.Errorf("help sort: %d %q", status, out)
	}
	if status, _, errors := invoked(t, t.TempDir(), "", "help", "gerp"); status != 1 || !strings.Contains(errors, "grep") {
		t.Errorf("help gerp: %d %q", status, errors)
	}
}

func TestAMisspeltNameFindsItsNeighboursAndAStrangeOneNone(t *testing.T) {
	for name, want := range map[string]string{
		"gerp": "grep", "sotr": "sort", "xarg": "xargs", "sha256": "sha256sum", "pyton": "", "frobnicate": "", "LS": "ls",
	} {
		near := Nearest(name)
		if want == "" && slices.Contains(near, "grep") || want != "" && !slices.Contains(near, want) {
			t.Errorf("%s: %v", name, near)
		}
	}
}
