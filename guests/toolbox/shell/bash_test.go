package shell

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"capbox/toolbox/abi"
)

// bash runs one script in a directory and gives its result.
func bash(t *testing.T, dir, script string, state any) abi.Result {
	t.Helper()
	arguments, err := json.Marshal(map[string]string{"script": script})
	if err != nil {
		t.Fatal(err)
	}
	req := &abi.Request{Tool: "bash", Arguments: arguments, Cwd: dir, Call: abi.Call{OutputBytesMax: 1 << 20}}
	if state != nil {
		if req.State, err = json.Marshal(state); err != nil {
			t.Fatal(err)
		}
	}
	return Bash(req)
}

var exitLine = regexp.MustCompile(`\n?exit code \d+\n$`)

// testdata/cases.json was recorded from GNU bash and coreutils: {script, stdout, exit}.
func TestScriptsBehaveAsInBashWithGNUTools(t *testing.T) {
	raw, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Script, Stdout string
		Exit           int
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for i, one := range cases {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			res := bash(t, t.TempDir(), "exec 2>/dev/null\n"+one.Script, nil)
			got := exitLine.ReplaceAllString(res.Content, "")
			want := one.Stdout
			if one.Exit != 0 {
				got, want = strings.TrimSuffix(got, "\n"), strings.TrimSuffix(want, "\n")
			}
			if code := res.Data.(*Outcome).ExitCode; got != want || code != one.Exit {
				t.Errorf("%s\ngave %d and %q\nnot  %d and %q", one.Script, code, got, one.Exit, want)
			}
		})
	}
}

func TestTheNextScriptOfARunStartsWhereTheLastOneEnded(t *testing.T) {
	dir := t.TempDir()
	first := bash(t, dir, `mkdir sub; cd sub; x=1; export Y="a b"; z=(p q); declare -A m=([k]=v); f() { echo "f$1"; }; unset LANG`, nil)
	second := bash(t, dir, `basename "$PWD"; echo $x "$Y" ${z[1]} ${m[k]} "${LANG-gone}"; f 2; env | grep -c ^x=; env | grep ^Y=`, first.State)
	want := "sub\n1 a b q v gone\nf2\n0\nY=a b\n"
	if second.Content != want {
		t.Errorf("got %q, want %q", second.Content, want)
	}
}

func TestAScriptThatCannotBeParsedKeepsTheState(t *testing.T) {
	dir := t.TempDir()
	first := bash(t, dir, `x=kept`, nil)
	second := bash(t, dir, `if`, first.State)
	third := bash(t, dir, `echo $x`, second.State)
	if second.Data.(*Outcome).ExitCode != 2 || third.Content != "kept\n" {
		t.Errorf("got %+v, then %q", second, third.Content)
	}
}

func TestStandardOutputAndErrorAreMergedInOrder(t *testing.T) {
	res := bash(t, t.TempDir(), "echo a; ls nofile; echo b; exit 3", nil)
	want := "a\nls: cannot access 'nofile': No such file or directory\nb\nexit code 3\n"
	data := res.Data.(*Outcome)
	if !res.OK || res.Content != want || data.ExitCode != 3 || data.StdoutBytes != 4 || data.StderrBytes != 54 {
		t.Errorf("got %+v %+v", res, data)
	}
}

func TestAnUnknownCommandSaysWhatServes(t *testing.T) {
	for script, want := range map[string]string{
		"git status": "no git here",
		"python3 x":  "`python` tool",
		"curl x":     "`fetch` tool",
		"frobnicate": "Commands here: awk ",
	} {
		res := bash(t, t.TempDir(), script, nil)
		if res.Data.(*Outcome).ExitCode != 127 || !strings.Contains(res.Content, want) {
			t.Errorf("%s: got %q", script, res.Content)
		}
	}
}

func TestEveryCommandExplainsItselfOrRuns(t *testing.T) {
	dir := t.TempDir()
	for _, name := range strings.Fields("cat sort grep sed awk find ls cp mv rm cut tr head tail wc uniq diff jq stat du") {
		res := bash(t, dir, name+" --help", nil)
		if !strings.Contains(res.Content, "Usage: "+name) || res.Data.(*Outcome).ExitCode != 0 {
			t.Errorf("%s --help: got %q", name, res.Content)
		}
	}
}
