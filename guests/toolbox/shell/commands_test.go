package shell

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// testdata/commands.json was recorded from GNU bc, dc, awk, patch, coreutils and util-linux: {script, content}, where
// content is both outputs in their order, as a result has it.
func TestCommandsAnswerAsTheirGNUCounterparts(t *testing.T) {
	raw, err := os.ReadFile("testdata/commands.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ Script, Content string }
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, one := range cases {
		dir := t.TempDir()
		if got := strings.ReplaceAll(bash(t, dir, one.Script, nil).Content, dir, "DIR"); got != one.Content {
			t.Errorf("%s\ngave %q\nnot  %q", one.Script, got, one.Content)
		}
	}
}

func TestAPatchDoesNotFollowNamesThatLeadOutOfTheDirectory(t *testing.T) {
	const change = `printf -- '--- %s\n+++ %s\n@@ -1 +1 @@\n-a\n+b\n' "$1" "$1" | patch -p0 > told; echo $?; cat ../f sub/f`
	script := `mkdir d d/sub; echo a > f; echo a > d/sub/f; cd d; change() { ` + change + `; }; `
	for name, want := range map[string]string{
		"sub/f": "0\na\nb\n", "../f": "1\na\na\n", "sub/../../f": "1\na\na\n", `"$PWD/sub/f"`: "1\na\na\n",
	} {
		if got := bash(t, t.TempDir(), script+"change "+name, nil).Content; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestWhatIsNotSupportedSaysSoAndEndsWithStatus2(t *testing.T) {
	for _, script := range []string{
		"df", "who", "users", "stty -a", "tput cols", "file -z x", "look word", "cksum -a sm3", "iconv -t ascii//TRANSLIT",
		"install -o root a b", "patch --merge", "less -N x", "time -v true", "getopt -a -o x -- -x",
	} {
		res := bash(t, t.TempDir(), "env "+script, nil)
		if !strings.Contains(res.Content, ": not supported: ") || res.Data.(*Outcome).ExitCode != 2 {
			t.Errorf("%s: got %q", script, res.Content)
		}
	}
}

func TestHostileInputOfNewCommandsEndsInAnAnswer(t *testing.T) {
	for script, want := range map[string]string{
		`for i in $(seq 1 2000); do printf '('; done | bc`: "(standard_in) 1: program too large\n",
		`echo 'define f(x) { return f(x); } f(1)' | bc`:    "Runtime error (func=f, adr=2): calls are nested too deeply\n",
		`echo '9^9^9' | bc`:                                                 "Runtime error (func=(main), adr=5): number is too large\n",
		`echo '[lax1] sa lax' | dc`:                                         "dc: macros are nested too deeply\n",
		`numfmt --padding=999999999 1`:                                      "numfmt: invalid padding value '999999999'\nexit code 1\n",
		`printf x | hexdump -e '999999999/1 "%x"'`:                          "hexdump: bad format {999999999/1 \"%x\"}\nexit code 1\n",
		`unexpand -t 99999999999999999999`:                                  "unexpand: tab stop is too large '99999999999999999999'\nexit code 1\n",
		`seq 9 > f; printf -- '@@ -1 +1 @@\n' | patch f`:                    "patch: **** Only garbage was found in the patch input.\nexit code 2\n",
		`yes 1+1 | bc | head -n 2; yes 'a b' | strings -n 2 | head -n 1`:    "2\n2\na b\n",
		`yes 'x y' | numfmt --invalid=ignore | iconv -t latin1 | head -n 1`: "x y\n",
	} {
		if got := bash(t, t.TempDir(), script, nil).Content; got != want {
			t.Errorf("%s\ngave %q\nnot  %q", script, got, want)
		}
	}
}
