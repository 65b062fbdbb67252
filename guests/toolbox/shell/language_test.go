package shell

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"capbox/toolbox/seams"
)

// hintLine is what bash does not say about an unknown command.
var hintLine = regexp.MustCompile("\n\\([^\n]*`help` lists all commands\\)")

// testdata/language.json was recorded from bash 5.2, standard error included: {script, output, exit}.
func TestTheLanguageIsThatOfBash(t *testing.T) {
	recorded(t, "language.json", func(t *testing.T, one struct {
		Script, Output string
		Exit           int
	}) {
		res := bash(t, t.TempDir(), one.Script, nil)
		got := strings.TrimSuffix(exitLine.ReplaceAllString(res.Content, ""), "\n")
		got = hintLine.ReplaceAllString(got, "")
		want := strings.TrimSuffix(one.Output, "\n")
		if code := res.Data.(*Outcome).ExitCode; got != want || code != one.Exit {
			t.Errorf("%s\ngave %d and %q\nnot  %d and %q", one.Script, code, got, one.Exit, want)
		}
	})
}

// The file is for the documents; its two keys are read without a library for TOML.
func TestTheListedDifferencesAreStillThere(t *testing.T) {
	raw, err := os.ReadFile("testdata/differences.toml")
	if err != nil {
		t.Fatal(err)
	}
	script, count := "", 0
	for _, line := range strings.Split(string(raw), "\n") {
		key, value, _ := strings.Cut(line, " = ")
		if key != "script" && key != "here" {
			continue
		}
		var text string
		if err := json.Unmarshal([]byte(value), &text); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if key == "script" {
			script = text
			continue
		}
		count++
		got := bash(t, t.TempDir(), script, nil).Content
		if tooDeep {
			got = "stopped: the call exhausted its stack"
		}
		if got != text {
			t.Errorf("%s\ngave %q\nnot  %q", script, got, text)
		}
	}
	if count == 0 {
		t.Error("no difference was read")
	}
}

func TestWhatHasNoEndIsBounded(t *testing.T) {
	for script, want := range map[string]string{
		`f() { f; }; f`:      "nesting level exceeded",
		`f() { eval f; }; f`: "nesting level exceeded",
		`f() { x=$(f); echo $x; }; f | tail -1 > /dev/null; echo on`: "on\n",
		`echo 'bash ./s.sh' > s.sh; bash ./s.sh`:                     "nesting level exceeded",
		`echo '. ./s.sh' > s.sh; . ./s.sh`:                           "nesting level exceeded",
		`trap 'false' ERR; false; echo on`:                           "on\n",
		`yes | head -1; while :; do echo y; done | head -1`:          "y\ny\n",
		`echo {1..1000000000}`:                                       "exceed",
		`printf '%1000000000d' 1 | wc -c`:                            "1048576\n",
		`x='x+1'; echo $((x))`:                                       "recursion level exceeded",
		`a=b; b=a; echo $((a))`:                                      "recursion level exceeded",
		`declare -n r=r; echo "[$r]"; echo on`:                       "on\n",
		`eval "$(printf '( %.0s' {1..3000})"`:                        "nested too deeply",
		`x=$(printf '(%.0s' {1..3000}); echo $((x))`:                 "nested too deeply",
		`{ :; } > <(true); echo $?`:                                  "1\n",
		`cat < >(true); echo $?`:                                     "1\n",
	} {
		if res := bash(t, t.TempDir(), script, nil); !strings.Contains(res.Content, want) {
			t.Errorf("%s\ngave %q\nnot  %q", script, res.Content, want)
		}
	}
}

func TestASubstitutedCommandIsReachedFromOneSideOnly(t *testing.T) {
	if err := seams.Mkfifo("/tmp/one", false); err != nil {
		t.Fatal(err)
	}
	defer seams.RemoveFifo("/tmp/one")
	if _, err := seams.OpenFifo("/tmp/one", os.O_WRONLY); err == nil {
		t.Error("the end of the command was given away")
	}
	go func() {
		end, err := seams.OpenSubstituted("/tmp/one")
		if err == nil {
			_, _ = end.Write([]byte("x"))
			end.Close()
		}
	}()
	end, err := seams.OpenFifo("/tmp/one", os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1)
	if n, err := end.Read(buf); n != 1 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
}
