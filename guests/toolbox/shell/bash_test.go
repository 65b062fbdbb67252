package shell

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"capbox/toolbox/abi"
	"capbox/toolbox/seams"
)

// tooDeep says whether the host would have ended the last script by the bound of its stack.
var tooDeep bool

// bash runs one script in a directory and gives its result.
func bash(t *testing.T, dir, script string, state any) abi.Result {
	t.Helper()
	tooDeep = false
	seams.TooDeep = func(int) { tooDeep = true } // it would end the tests
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
	recorded(t, "cases.json", func(t *testing.T, one struct {
		Script, Stdout string
		Exit           int
	}) {
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
		"ssh x":      "curl and wget",
		"gerp -n x":  "(nearest: grep, ",
		"frobnicate": "frobnicate: command not found\n(`help` lists all commands)\n",
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

func TestOddNumbersAndFormatsAreAnsweredOrRefused(t *testing.T) {
	for script, want := range map[string]string{
		`printf '%%q' x`:                 "%q",
		`printf '%%q' x y`:               "%q",
		`printf 'total (MB)T' x`:         "total (MB)T",
		`printf -v v '%%q' 1; echo "$v"`: "%q\n",
		`printf abcdef | xxd -s -2`:      "00000004: 6566                                     ef\n",
		`printf abcdef | xxd -s -3 -l 1`: "00000003: 64                                       d\n",
		`printf abcdef | xxd -p -s -6`:   "616263646566\n",
		`printf abcdef | xxd -s -7`:      "xxd: Sorry, cannot seek.\nexit code 4\n",
		`printf abcdef | xxd -s 9223372036854775807 -l 9223372036854775807`: "",
		`printf abcdef | xxd -p -l -1`:                                      "616263646566\n",
		`printf a | xxd -c 257`:                                             "xxd: invalid number of columns (max. 256).\nexit code 1\n",
		`printf a | od -j -1`:                                               "od: invalid -j argument '-1'\nexit code 1\n",
		`printf a | od -N -1`:                                               "od: invalid -N argument '-1'\nexit code 1\n",
		`printf abc | od -An -c -j 1 -N 1`:                                  "   b\n",
		`expr substr abc 2 9223372036854775807`:                             "bc\n",
		`echo a | uniq -s -5`:                                               "uniq: -5: invalid number\nexit code 1\n",
		`echo ab | tr '[:]' 'x-z'`:                                          "ab\n",
		`echo '[:]' | tr '[:]' x`:                                           "xxx\n",
		`echo a | tr a '[b*99999999999999]'`:                                "b\n",
		`shuf -r -n 3 < /dev/null`:                                          "shuf: no lines to repeat\nexit code 1\n",
		`shuf -i 9223372036854775807-9223372036854775807`:                   "9223372036854775807\n",
		`shuf -i 2-1`:                                                       "",
		`shuf -i 3-1`:                                                       "shuf: invalid input range: '3-1'\nexit code 1\n",
		`ln -s /x ''`:                                                       "ln: failed to create symbolic link '': No such file or directory\nexit code 1\n",
		`printf 'a\n' | sort -k 1.-9223372036854775808`:                     "sort: invalid key specification '1.-9223372036854775808'\nexit code 2\n",
		`printf 'a\tb\n' | expand -t 9223372036854775807`:                   "expand: tab stop is too large '9223372036854775807'\nexit code 1\n",
		`echo a | split -a 9223372036854775807`:                             "split: invalid suffix length\nexit code 1\n",
		`echo a | nl -w -1`:                                                 "nl: invalid line number field width: '-1'\nexit code 1\n",
		`stat -c %09223372036854775807h . | wc -c`:                          "65537\n",
		`find . -maxdepth 0 -printf '%Té|%5d|\n'`:                           "%é|    0|\n",
		`printf '1\n2\n' > a; printf '1\n' > b; diff -U 9223372036854775807 --label a --label b a b`: "--- a\n+++ b\n@@ -1,2 +1 @@\n 1\n-2\nexit code 1\n",
	} {
		if res := bash(t, t.TempDir(), script, nil); res.Content != want {
			t.Errorf("%s\ngave %q\nnot  %q", script, res.Content, want)
		}
	}
}

// The interpreter itself panicked at `shift -1` and at names that are empty.
func TestOddNamesAndNumbersOfBuiltinsAreRefusedNotPanickedAt(t *testing.T) {
	for script, want := range map[string]string{
		`x=old; x=new unset ''; echo $? $x`:          "0 old\n",
		`unset -v ''; echo $?`:                       "bash: line 1: unset: `': not a valid identifier\n1\n",
		`[[ -v '' ]]; echo $?`:                       "1\n",
		`shift -1; echo $?`:                          "bash: line 1: shift: -1: shift count out of range\n1\n",
		`f() { shift -1 2> f; echo in; }; f; set -e`: "in\n",
		`printf -v '' x; echo $?`:                    "bash: line 1: printf: `': not a valid identifier\n2\n",
		`echo ${!nope}; echo never`:                  "bash: line 1: nope: invalid indirect expansion\nexit code 1\n",
	} {
		if res := bash(t, t.TempDir(), script, nil); res.Content != want {
			t.Errorf("%s\ngave %q\nnot  %q", script, res.Content, want)
		}
	}
}

func TestAnAwkWhoseReaderIsGoneEndsQuietly(t *testing.T) {
	res := bash(t, t.TempDir(), `awk 'BEGIN { print "x"; while (("sleep 0.02; echo q" | getline) > 0) print "y"; print "w"; "echo r" | getline }' | true; echo on`, nil)
	if res.Content != "on\n" {
		t.Errorf("got %q", res.Content)
	}
}
