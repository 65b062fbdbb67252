package shell

import (
	"context"
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"

	"capbox/toolbox/commands"
	"capbox/toolbox/commands/kit"
)

// exec runs every simple command that is neither function nor builtin.
func (s *session) exec(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	status := s.start(place{
		ctx: ctx, dir: hc.Dir, environ: hc.Env,
		streams: kit.Streams{In: hc.Stdin, Out: hc.Stdout, Err: hc.Stderr},
		who:     fmt.Sprintf("%s: line %d", hc.Name, hc.Line),
	}, args)
	if status == 0 {
		return nil
	}
	return interp.ExitStatus(status)
}

// place is where and with what a command runs.
type place struct {
	ctx     context.Context
	dir     string
	environ expand.Environ
	streams kit.Streams
	who     string // how the shell's own messages begin
}

// start finds the command and runs it; 127 if there is none, 126 if it cannot be run.
func (s *session) start(at place, args []string) int {
	name := args[0]
	if strings.Contains(name, "/") {
		if bare, ok := virtualCommand(name); ok {
			name = bare
		} else {
			return s.startFile(at, args)
		}
	}
	if name == "bash" || name == "sh" {
		return s.startShell(at, args)
	}
	if command := commands.Find(name); command != nil {
		return commands.Invoke(command, s.call(at, args))
	}
	if interp.IsBuiltin(name) {
		return s.startBuiltin(at, append([]string{name}, args[1:]...))
	}
	return s.unknown(at, name)
}

// call wires a command to the session, so that it can run others (xargs, find -exec, env).
func (s *session) call(at place, args []string) *kit.Call {
	c := kit.New(at.ctx, args, at.streams)
	c.Name = baseName(args[0])
	c.Dir = at.dir
	c.Which = func(name string) string {
		if exists(name) {
			return "/usr/bin/" + name
		}
		return ""
	}
	c.Env = func() kit.Variables { return exported(at.environ) }
	c.Run = func(args []string, change kit.Change) int {
		c.Out.Flush()
		next := at
		next.who = "bash"
		if change.Context != nil {
			next.ctx = change.Context
		}
		if change.Streams.In != nil {
			next.streams.In = change.Streams.In
		}
		if change.Streams.Out != nil {
			next.streams.Out = change.Streams.Out
		}
		if change.Streams.Err != nil {
			next.streams.Err = change.Streams.Err
		}
		if change.Dir != "" {
			next.dir = change.Dir
		}
		if change.Env != nil {
			next.environ = variables(change.Env)
		}
		return s.start(next, args)
	}
	return c
}

// virtualCommand maps /bin/cat, /usr/bin/env and the like to the bare name of something that exists.
func virtualCommand(path string) (string, bool) {
	for _, dir := range []string{"/bin/", "/usr/bin/", "/usr/local/bin/"} {
		if name, ok := strings.CutPrefix(path, dir); ok && exists(name) {
			return name, true
		}
	}
	return "", false
}

// exists says whether a bare name can be run as a command.
func exists(name string) bool {
	return name == "bash" || name == "sh" || commands.Find(name) != nil || standalone[name]
}

// standalone builtins are files in /usr/bin on other machines.
var standalone = map[string]bool{
	"echo": true, "printf": true, "test": true, "[": true, "true": true, "false": true, "pwd": true, "kill": true,
}

func baseName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// exported lists what a command sees as its environment.
func exported(environ expand.Environ) kit.Variables {
	vars := kit.Variables{}
	for name, v := range environ.Each {
		if v.IsSet() && v.Exported && v.Kind == expand.String {
			vars[name] = v.Str
		} else {
			delete(vars, name)
		}
	}
	return vars
}

// variables makes an environment of exported strings.
func variables(vars kit.Variables) expand.Environ {
	list := make([]string, 0, len(vars))
	for name, value := range vars {
		list = append(list, name+"="+value)
	}
	return expand.ListEnviron(list...)
}

// substitutes say what serves instead of a command people expect.
var substitutes = map[string]string{
	"git":       "There is no git here. Ask for the `git` tool, if this run has one.",
	"python":    "There is no Python in this shell. Ask for the `python` tool, if this run has one; awk, jq and sed exist here.",
	"node":      "There is no JavaScript in this shell. Ask for the `javascript` tool, if this run has one; jq exists here.",
	"npm":       "Packages cannot be installed: there is no other program here.",
	"ssh":       "There is no other machine here. Only curl and wget reach out, to what a grant such as fetch:\"GET https://HOST/*\" allows.",
	"sudo":      "There are no users to switch to; what may be done was granted to this run and cannot be raised from inside.",
	"docker":    "There are no containers and no other processes here.",
	"make":      "There is no make and no compiler here; only the commands of this shell exist.",
	"vi":        "There is no terminal. Use the `edit` tool, or sed -i.",
	"apply":     "Use the `edit` tool, or patch.",
	"processes": "There are no processes here: commands are functions of this shell. `wait` is a builtin for its background jobs.",
}

var alike = map[string]string{
	"python3": "python", "python2": "python", "ipython": "python", "pip": "npm", "pip3": "npm", "uv": "npm",
	"npx": "npm", "yarn": "npm", "pnpm": "npm", "apt": "npm", "apt-get": "npm", "brew": "npm", "cargo": "make",
	"nc": "ssh", "ping": "ssh", "scp": "ssh", "rsync": "ssh", "su": "sudo", "doas": "sudo",
	"podman": "docker", "kubectl": "docker", "systemctl": "docker", "ps": "processes", "gcc": "make", "cc": "make",
	"go": "make", "rustc": "make", "java": "make", "deno": "node", "bun": "node", "vim": "vi", "nano": "vi",
	"emacs": "vi", "gh": "git", "apply_patch": "apply", "pgrep": "processes", "pkill": "processes", "killall": "processes",
	"top": "processes", "htop": "processes", "pidof": "processes", "lsof": "processes",
}

// unknown says what bash says, and on a line of its own what serves instead, or has nearly that name.
func (s *session) unknown(at place, name string) int {
	stderr := at.streams.Err
	if stderr == nil {
		return 127
	}
	fmt.Fprintf(stderr, "%s: %s: command not found\n", at.who, name)
	key := name
	if same, ok := alike[name]; ok {
		key = same
	}
	if hint, ok := substitutes[key]; ok {
		fmt.Fprintf(stderr, "(%s)\n", hint)
		return 127
	}
	near := ""
	if names := commands.Nearest(name); len(names) > 0 {
		near = "nearest: " + strings.Join(names, ", ") + "; "
	}
	fmt.Fprintf(stderr, "(%s`help` lists all commands)\n", near)
	return 127
}
