package shell

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"capbox/toolbox/abi"
	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// scriptBytesMax bounds a script file.
const scriptBytesMax = 8 << 20

// startBuiltin runs a builtin that another command asked for (xargs echo, find -exec test).
func (s *session) startBuiltin(at place, args []string) int {
	expr := &syntax.CallExpr{}
	for _, arg := range args {
		word := &syntax.Word{Parts: []syntax.WordPart{&syntax.SglQuoted{Value: arg}}}
		expr.Args = append(expr.Args, word)
	}
	runner, err := s.runner(at.environ, at.dir, at.streams.In, at.streams.Out, at.streams.Err)
	if err != nil {
		return 1
	}
	return exitCode(runner.Run(at.ctx, expr), at.streams.Err)
}

// startFile runs a script by its path.
func (s *session) startFile(at place, args []string) int {
	path := kit.Absolute(at.dir, args[0])
	complain := func(status int, reason string) int {
		fmt.Fprintf(at.streams.Err, "%s: %s: %s\n", at.who, args[0], reason)
		return status
	}
	info, err := os.Stat(path)
	switch {
	case err != nil && abi.Reason(err) == abi.Reason(syscall.ENOENT):
		return complain(127, abi.Reason(err))
	case err != nil:
		return complain(126, abi.Reason(err))
	case info.IsDir():
		return complain(126, "Is a directory")
	case !fileinfo.Executable(path):
		return complain(126, "Permission denied")
	}
	text, err := readScript(path)
	if err != nil {
		return complain(126, abi.Reason(err))
	}
	interpreter := shebang(text)
	switch {
	case len(interpreter) == 0 && bytes.IndexByte(text[:min(len(text), 512)], 0) >= 0:
		return complain(126, "cannot execute binary file: only shell scripts run here")
	case len(interpreter) == 0:
		interpreter = []string{"bash"}
	}
	if !exists(interpreter[0]) {
		return s.unknown(at, interpreter[0])
	}
	return s.start(at, append(append(interpreter, args[0]), args[1:]...))
}

// shebang is the interpreter of a script's first line, its directory and `env` dropped.
func shebang(text []byte) []string {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	rest, ok := bytes.CutPrefix(line, []byte("#!"))
	if !ok {
		return nil
	}
	words := strings.Fields(string(rest))
	if len(words) > 1 && baseName(words[0]) == "env" {
		words = words[1:]
		if words[0] == "-S" {
			words = words[1:]
		}
	}
	if len(words) > 0 {
		words[0] = baseName(words[0])
	}
	return words
}

func readScript(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, scriptBytesMax))
}

// startShell is `bash` and `sh`: -c TEXT, a script file, or the script on standard input. Options are those of `set`.
func (s *session) startShell(at place, args []string) int {
	options, rest, inline, fromStdin := []string{}, args[1:], false, false
	for len(rest) > 0 && len(rest[0]) > 1 && (rest[0][0] == '-' || rest[0][0] == '+') {
		flag := rest[0]
		rest = rest[1:]
		if flag == "--" {
			break
		}
		if strings.HasPrefix(flag, "--") {
			if flag == "--version" {
				fmt.Fprintln(at.streams.Out, "bash (capbox; mvdan.cc/sh) 5.2")
				return 0
			}
			continue
		}
		if flag[1:] == "o" && len(rest) > 0 {
			options = append(options, flag, rest[0])
			rest = rest[1:]
			continue
		}
		for _, letter := range flag[1:] {
			switch letter {
			case 'c':
				inline = true
			case 's':
				fromStdin = true
			case 'l', 'i', 'p':
			default:
				options = append(options, string(flag[0])+string(letter))
			}
		}
	}
	text, name, status := s.shellText(at, &rest, inline, fromStdin)
	if status != 0 {
		return status
	}
	if name == "bash" && args[0] == "sh" {
		name = "sh"
	}
	return s.nested(at, text, name, append(append(options, "--"), rest...))
}

// shellText takes the script of a nested shell from where the arguments say, and leaves its own arguments in rest.
func (s *session) shellText(at place, rest *[]string, inline, fromStdin bool) (text, name string, status int) {
	switch {
	case inline && len(*rest) == 0:
		fmt.Fprintln(at.streams.Err, "bash: -c: option requires an argument")
		return "", "", 2
	case inline:
		text, name = (*rest)[0], "bash"
		*rest = (*rest)[1:]
		if len(*rest) > 0 {
			name, *rest = (*rest)[0], (*rest)[1:]
		}
		return text, name, 0
	case fromStdin || len(*rest) == 0:
		if at.streams.In == nil {
			return "", "bash", 0
		}
		raw, err := io.ReadAll(io.LimitReader(at.streams.In, scriptBytesMax))
		if err != nil {
			return "", "", 1
		}
		return string(raw), "bash", 0
	}
	name, *rest = (*rest)[0], (*rest)[1:]
	raw, err := readScript(kit.Absolute(at.dir, name))
	if err != nil {
		fmt.Fprintf(at.streams.Err, "bash: %s: %s\n", name, abi.Reason(err))
		return "", "", 127
	}
	return string(raw), name, 0
}

// nested runs a script in a shell of its own: it inherits what is exported, nothing else.
func (s *session) nested(at place, text, name string, params []string) int {
	file, fault := interp.Parsed(text, name)
	vars := exported(at.environ)
	functions := interp.ImportFunctions(vars)
	runner, err := s.runner(variables(vars), at.dir, at.streams.In, at.streams.Out, at.streams.Err)
	if err == nil {
		err = interp.Params(params...)(runner)
	}
	if err != nil {
		fmt.Fprintf(at.streams.Err, "bash: %s\n", err)
		return 2
	}
	runner.ScriptFile(name != "bash" && name != "sh")
	for _, function := range functions {
		_ = runner.Run(at.ctx, function)
	}
	code := exitCode(runner.Run(at.ctx, file), at.streams.Err)
	if fault != nil && !runner.Exited() {
		fmt.Fprintf(at.streams.Err, "%s\n", interp.SyntaxError(name, fault))
		code = 2
	}
	return code
}
