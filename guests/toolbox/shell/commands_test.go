package shell

import (
	"strings"
	"testing"
)

// testdata/commands.json was recorded from GNU bc, dc, awk, patch, coreutils and util-linux: {script, content}, where
// content is both outputs in their order, as a result has it.
func TestCommandsAnswerAsTheirGNUCounterparts(t *testing.T) {
	recorded(t, "commands.json", func(t *testing.T, one struct{ Script, Content string }) {
		dir := t.TempDir()
		if got := strings.ReplaceAll(bash(t, dir, one.Script, nil).Content, dir, "DIR"); got != one.Content {
			t.Errorf("%s\ngave %q\nnot  %q", one.Script, got, one.Content)
		}
	})
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

func TestWhatOnlyGawkHasIsRefusedAndItsNamesInTextsAreNot(t *testing.T) {
	for script, want := range map[string]string{
		`awk 'BEGIN { IGNORECASE = 1 }'`:                                        "awk: not supported: IGNORECASE\nexit code 2\n",
		`awk -v FPAT=x 1 /dev/null`:                                             "awk: not supported: FPAT\nexit code 2\n",
		`awk 'BEGINFILE { x = 1 } { print }' /dev/null`:                         "awk: not supported: BEGINFILE\nexit code 2\n",
		`awk 'BEGIN { a["x"]["y"] = 1 }'`:                                       "awk: not supported: arrays of arrays\nexit code 2\n",
		`awk 'BEGIN { switch (1) { case 1: print } }'`:                          "awk: not supported: switch\nexit code 2\n",
		`awk 'BEGIN { a[1]; asort(a, b, "mine") }'`:                             "awk: not supported: sorting with the function `mine'\nexit code 2\n",
		`awk 'BEGIN { print "IGNORECASE" } # FPAT'`:                             "IGNORECASE\n",
		`echo FPAT | awk '/FPAT/ { print 4 / 2 }'`:                              "2\n",
		`awk 'function gensub(a) { return "own" a } BEGIN { print gensub(1) }'`: "own1\n",
		`awk 'BEGIN { print gensub(/(/, "", "g", "x") }'`:                       "awk: parse error at 1:22: error parsing regexp: missing closing ): `(?s:()`\nexit code 2\n",
		`jq -C . <<< 1`: "jq: not supported: -C: colours\nexit code 2\n",
	} {
		if got := bash(t, t.TempDir(), script, nil).Content; got != want {
			t.Errorf("%s\ngave %q\nnot  %q", script, got, want)
		}
	}
}

func TestPositionalValuesOfJqAreNoFiles(t *testing.T) {
	for script, want := range map[string]string{
		`echo 1 | jq -c '[., $ARGS.positional]' --args x y`:         "[1,[\"x\",\"y\"]]\n",
		`echo 1 > f; jq -c '[., $ARGS.positional]' f --args x`:      "[1,[\"x\"]]\n",
		`echo '$ARGS.positional' > p; jq -nc -f p --args x`:         "[\"x\"]\n",
		`jq -nc '$ARGS.positional' --jsonargs 1 '{"a":2}' --args z`: "[1,{\"a\":2},\"z\"]\n",
		`jq -n . --jsonargs '{'`:                                    "jq: Invalid JSON text passed to --jsonargs\nexit code 2\n",
		`jq . x`:                                                    "jq: error: Could not open x: No such file or directory\nexit code 2\n",
		`printf '\0361\n\036[2]\n' | jq -c --seq . | od -An -c`:     " 036   1  \\n 036   [   2   ]  \\n\n",
		`echo '{"a":{},"b":[1,{"c":[]}]}' | jq -c --stream .`:       "[[\"a\"],{}]\n[[\"b\",0],1]\n[[\"b\",1,\"c\"],[]]\n[[\"b\",1,\"c\"]]\n[[\"b\",1]]\n[[\"b\"]]\n",
		`echo '[1,[2' | jq -c --stream . 2>&1 | head -n 2`:          "[[0],1]\n[[1,0],2]\n",
		`yes '[1]' | jq -c --stream . | head -n 2`:                  "[[0],1]\n[[0]]\n",
	} {
		if got := bash(t, t.TempDir(), script, nil).Content; got != want {
			t.Errorf("%s\ngave %q\nnot  %q", script, got, want)
		}
	}
}
