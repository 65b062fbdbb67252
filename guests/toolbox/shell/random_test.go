package shell

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var scripts = flag.Int("scripts", 2000, "how many random scripts to run")

// grammar makes scripts that are mostly valid; a rule is a list of alternatives, <name> names another rule.
var grammar = map[string][]string{
	"script": {"<line>\n<line>\n<line>", "<line>; <line>", "<line>"},
	"line": {"<cmd>", "<cmd>", "<cmd> <op> <cmd>", "<cmd> <redir>", "{ <line>; } <redir>", "( <line> )", "! <cmd>", "<cmd> &",
		"if <cmd>; then <line>; else <cmd>; fi", "for <n> in <words>; do <line>; done", "for ((i=0;i<<num>%3;i++)); do <cmd>; done",
		"case <word> in <pat>) <cmd>;; <pat>|<pat>) <cmd> ;& *) <cmd>;;& esac", "f() { <line>; }; f <words>", "time <cmd>",
		"select <n> in <words>; do <cmd>; break; done <<< <num>", "<n>=() ", "coproc <cmd>", "while read <n>; do <cmd>; break; done <<< <word>"},
	"op": {"|", "&&", "||", ";", "|&", "&"},
	"redir": {"> o", ">> o", "< o", "2>&1", "1>&2", "3>o", "3<o", "3>&1", ">&3", "3>&-", "<&3", "{<n>}>o", "{<n>}>&-", "&> o", ">| o", "<> o",
		"<<< <word>", "<<E\n<word>\nE\n", "<<-'E'\n\t<word>\nE\n", ">&-", "<&-", "> <word>", "0<&1", "1>&0", "2>&<num>", "<&<word>", "< <(<cmd>)", "> >(<cmd>)", "4>&3-"},
	"cmd": {"echo <words>", "printf <word> <words>", "printf -v <lhs> <word> <words>", "<lhs>=<word>", "<lhs>+=<word>", "<n>=(<words>)",
		"<n>+=([<num>]=<word> <word>)", "declare <opt> <n>", "declare <opt> <n>=<word>", "declare <opt> <n>=(<words>)", "local <opt> <n>=<word>",
		"export <opt> <n>", "readonly <n>x=<word>", "unset <opt> <lhs>", "unset <word>", "shift <num>", "set <words>", "set <opt> <words>", "shopt <opt> <word>",
		"read <opt> <n> <<< <word>", "read <opt> <num> <n> <<< <word>", "mapfile <opt> <num> <n> <<< <word>", "getopts <word> <n> <words>", "let <arith>", "(( <arith> ))",
		"[[ <word> <cmp> <word> ]]", "[[ <una> <word> ]]", "[ <word> <cmp> <word> ]", "test <una> <word> <word>", "[ <words> ]", "eval <word> <words>", "trap <word> <sig>",
		"trap - <sig>", "trap -p", "kill <sig> <word>", "wait <word>", "wait -n", "jobs <opt>", "type <opt> <word>", "command <opt> <word>", "builtin <words>",
		"pushd <word>", "popd <word>", "dirs <opt> <word>", "cd <word>", "alias <n>=<word>", "unalias <word>", "hash <word>", "return <num>", "break <num>",
		"continue <num>", "exit <num>", "caller <num>", "umask <word>", "ulimit <words>", "source <word>", "x=<word> <cmd>", "help <word>", "true", "false", ":",
		"dirs -<num>", "exec <redir>", "exec <redir> <redir>", "times", "disown", "fg", "enable <word>", "command export <n>=<word>", "builtin declare <opt> <n>", "cat"},
	"words": {"<word>", "<word> <word>", "<word> <word> <word>", ""},
	"word": {"a", "''", "\"\"", "'a b'", "$<n>", "\"$<n>\"", "${<n>}", "\"${<exp>}\"", "${<exp>}", "$(<cmd>)", "\"$(<cmd>)\"", "$((<arith>))", "`<cmd>`", "$@", "\"$@\"", "$*",
		"\"$*\"", "$#", "$?", "$!", "$-", "$_", "$$", "*", "[a-z]*", "~", "~+", "{a,b}", "{1..3}", "{<num>..<num>}", "$'\\x41\\n'", "<num>", "-<num>", "-", "--", "-n", "%d", "%s%q", "%*d", "%(%Y)T", "%b\\c",
		"a[1]", "a[<num>]", "x=y", "\\", "\\*", "@", "a$@b", "\"a$@b\"", "é", "$'\\xff'", "[", "]", "!", "(", "a/b", "/", "..", "%1", "%%", "m[k]", "n", "<(<cmd>)", "\"${a[@]}\"", "${a[*]}", "'%'", "%", "+1"},
	"exp": {"<lhs>", "#<lhs>", "!<n>", "!<lhs>", "!<n>*", "!<n>@", "<lhs>:-<word>", "<lhs>-<word>", "<lhs>:=<word>", "<lhs>=<word>", "<lhs>:?<word>", "<lhs>:+<word>", "<lhs>+<word>",
		"<lhs>#<pat>", "<lhs>##<pat>", "<lhs>%<pat>", "<lhs>%%<pat>", "<lhs>/<pat>/<word>", "<lhs>//<pat>/<word>", "<lhs>/#<pat>/<word>", "<lhs>/%<pat>/<word>", "<lhs>^", "<lhs>^^<pat>",
		"<lhs>,,", "<lhs>,<pat>", "<lhs>:<arith>", "<lhs>:<arith>:<arith>", "<lhs>: -1", "<lhs>@Q", "<lhs>@A", "<lhs>@a", "<lhs>@E", "<lhs>@P", "<lhs>@K", "<lhs>@k", "<lhs>@U", "<lhs>@u", "<lhs>@L", "#", "?", "@:1", "*:0:2", "#@", "!#", "@@Q", "*@A"},
	"lhs":   {"<n>", "<n>", "<n>[<num>]", "<n>[@]", "<n>[*]", "<n>[-<num>]", "m[k]", "m[$<n>]", "<n>[<arith>]", "@", "*", "1", "r"},
	"n":     {"x", "y", "a", "m", "r", "PATH", "IFS", "OPTIND", "SECONDS", "RANDOM", "FUNCNAME", "PIPESTATUS", "BASH_REMATCH", "REPLY", "DIRSTACK", "HOME", "PWD", "LINENO", "PS4"},
	"num":   {"0", "1", "2", "3", "10", "-1", "9223372036854775807", "08", "0x", "2#1", "-9223372036854775808", "99999"},
	"arith": {"<num>", "<n>", "<n>[<num>]", "<arith>+<arith>", "<arith>/<num>", "<arith>%<num>", "<n>=<arith>", "<n>++", "--<n>", "<arith>**<num>", "<arith><<<num>", "<arith>>><num>", "(<arith>)", "!<arith>", "~<arith>", "-<arith>", "<arith>?<arith>:<arith>", "<n>+=<arith>", "<n>[<num>]*=<arith>", "<arith>,<arith>", "<arith>&&<arith>", "<arith>==<arith>", "$<n>", "m[k]", "1+", "'a'"},
	"pat":   {"*", "?", "a*", "[a-z]", "[!a]", "[[:alpha:]]", "[", "[]", "[z-a]", "a|b", "\\*", "'*'", "$<n>", "\"$<n>\"", "+(a|b)", "!(a)", "@(a|!(b))*", "*(", "#", "%", "é", "[[:x:]]", "**", "\\", "[^", "[a-\\]", "?(a)b"},
	"opt":   {"-a", "-A", "-i", "-n", "-r", "-x", "-p", "-f", "-F", "-g", "-l", "-u", "-t", "-d", "-s", "-v", "+x", "+n", "-o", "-e", "-N", "-O", "-C", "-c", "-V", "-q", "--", "-", "-P", "-aA", "-", "-ai", "-Ar", "+r"},
	"cmp":   {"==", "=", "!=", "<", ">", "-eq", "-lt", "=~", "-nt", "-ef", "-a", "-o", "&&"},
	"una":   {"-v", "-z", "-n", "-e", "-f", "-R", "-t", "-o", "!", "-a", "-N", "-O", "-x"},
	"sig":   {"EXIT", "ERR", "DEBUG", "RETURN", "INT", "TERM", "0", "2", "FOO", "99", "-l", "USR1"},
}

// sentence expands a rule at random.
func sentence(random *rand.Rand, rule string, depth int) string {
	options := grammar[rule]
	text := options[random.IntN(len(options))]
	if depth <= 0 {
		text = options[0]
	}
	var out strings.Builder
	for {
		at := strings.IndexByte(text, '<')
		if at < 0 {
			break
		}
		end := strings.IndexByte(text[at:], '>')
		if end > 0 && grammar[text[at+1:at+end]] != nil {
			out.WriteString(text[:at] + sentence(random, text[at+1:at+end], depth-1))
			text = text[at+end+1:]
			continue
		}
		out.WriteString(text[:at+1])
		text = text[at+1:]
	}
	return out.String() + text
}

func TestNoRandomScriptReachesAnInternalErrorOrHangs(t *testing.T) {
	dir := t.TempDir()
	const setup = "a=(p q r); declare -A m=([k]=v); declare -n r=x; x=1; shopt -s extglob; set -- one 'two 2'\n"
	for i := range *scripts {
		if i%200 == 0 {
			dir = t.TempDir() // scripts make files, and `*` is expanded again and again
		}
		script := setup + sentence(rand.New(rand.NewPCG(7, uint64(i))), "script", 8)
		done := make(chan string, 1)
		go func() {
			defer func() {
				if cause := recover(); cause != nil {
					done <- fmt.Sprint("panic: ", cause)
				}
			}()
			done <- bash(t, dir, script, nil).Content
		}()
		select {
		case content := <-done:
			if strings.Contains(content, "internal error") || strings.HasPrefix(content, "panic: ") {
				t.Errorf("script %d\n%s\ngave %s", i, script, content)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("script %d hangs:\n%s", i, script)
		}
	}
}
