package interp

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// directories lists the stack as `dirs` shows it: the working directory first. r.dirStack has it last.
func (r *Runner) directories() []string {
	list := slices.Clone(r.dirStack)
	if len(list) == 0 {
		list = []string{r.Dir}
	}
	list[len(list)-1] = r.Dir
	slices.Reverse(list)
	return list
}

func (r *Runner) setDirectories(list []string) {
	list = slices.Clone(list)
	slices.Reverse(list)
	r.dirStack = list
}

// tilde writes a directory with ~ for $HOME.
func (r *Runner) tilde(dir string) string {
	home := r.envGet("HOME")
	if rest, ok := strings.CutPrefix(dir, home); ok && home != "" && home != "/" && (rest == "" || rest[0] == '/') {
		return "~" + rest
	}
	return dir
}

// stackIndex reads +N and -N.
func stackIndex(word string, size int) (index int, ok bool) {
	if len(word) < 2 || (word[0] != '+' && word[0] != '-') {
		return 0, false
	}
	n, err := strconv.Atoi(word[1:])
	if err != nil {
		return 0, false
	}
	if word[0] == '-' {
		n = size - 1 - n
	}
	return n, true
}

// dirs shows or clears the stack.
func (r *Runner) dirs(args []string) exitStatus {
	full, lines, numbered := false, false, false
	list := r.directories()
	for _, word := range args {
		switch word {
		case "-c":
			r.setDirectories(list[:1])
			return exitStatus{}
		case "-l":
			full = true
		case "-p":
			lines = true
		case "-v":
			lines, numbered = true, true
		default:
			n, ok := stackIndex(word, len(list))
			if !ok {
				r.complain("dirs: %s: invalid option", word)
				r.errf("dirs: usage: dirs [-clpv] [+N] [-N]\n")
				return exitStatus{code: 2}
			}
			if n < 0 || n >= len(list) {
				return r.failed(1, "dirs: %s: directory stack index out of range", strings.TrimLeft(word, "+-"))
			}
			list = list[n : n+1]
		}
	}
	for i, dir := range list {
		if !full {
			dir = r.tilde(dir)
		}
		switch {
		case numbered:
			r.outf("%2d  %s\n", i, dir)
		case lines || i == len(list)-1:
			r.outf("%s\n", dir)
		default:
			r.outf("%s ", dir)
		}
	}
	return exitStatus{}
}

// pushd changes to a directory and remembers the others.
func (r *Runner) pushd(ctx context.Context, args []string) exitStatus {
	stay := len(args) > 0 && args[0] == "-n"
	if stay {
		args = args[1:]
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	list := r.directories()
	if len(args) == 0 {
		if len(list) < 2 {
			return r.failed(1, "pushd: no other directory")
		}
		list[0], list[1] = list[1], list[0]
		return r.enter(ctx, "pushd", list, stay)
	}
	if len(args) > 1 {
		return r.failed(1, "pushd: too many arguments")
	}
	if n, ok := stackIndex(args[0], len(list)); ok {
		if n < 0 || n >= len(list) {
			return r.failed(1, "pushd: %s: directory stack index out of range", args[0])
		}
		return r.enter(ctx, "pushd", slices.Concat(list[n:], list[:n]), stay)
	}
	if stay {
		return r.enter(ctx, "pushd", slices.Insert(list, 1, r.absPath(args[0])), true)
	}
	if code := r.changeDir(ctx, "pushd", args[0]); code != 0 {
		return exitStatus{code: code}
	}
	r.setDirectories(slices.Insert(list, 0, r.Dir))
	return r.dirs(nil)
}

// popd drops a directory of the stack, and changes to the next if it was the first.
func (r *Runner) popd(ctx context.Context, args []string) exitStatus {
	stay := len(args) > 0 && args[0] == "-n"
	if stay {
		args = args[1:]
	}
	list := r.directories()
	n := 0
	if len(args) > 0 {
		var ok bool
		if n, ok = stackIndex(args[0], len(list)); !ok {
			r.complain("popd: %s: invalid argument", args[0])
			r.errf("popd: usage: popd [-n] [+N | -N]\n")
			return exitStatus{code: 2}
		}
	}
	if len(list) < 2 {
		return r.failed(1, "popd: directory stack empty")
	}
	if n < 0 || n >= len(list) {
		return r.failed(1, "popd: %s: directory stack index out of range", args[0])
	}
	if stay && n == 0 {
		n = 1
	}
	return r.enter(ctx, "popd", slices.Delete(list, n, n+1), stay)
}

// enter makes the list the stack and its first entry the working directory.
func (r *Runner) enter(ctx context.Context, name string, list []string, stay bool) exitStatus {
	if !stay && list[0] != r.Dir {
		if code := r.changeDir(ctx, name, list[0]); code != 0 {
			return exitStatus{code: code}
		}
	}
	r.setDirectories(list)
	return r.dirs(nil)
}

// cd changes the working directory; CDPATH, -, -L and -P as in bash.
func (r *Runner) cd(ctx context.Context, args []string) exitStatus {
	physical := false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		flag := args[0]
		if flag != "--" && flag != "-L" && flag != "-P" && flag != "-e" {
			r.complain("cd: %s: invalid option", flag)
			r.errf("cd: usage: cd [-L|[-P [-e]] [-@]] [dir]\n")
			return exitStatus{code: 2}
		}
		args = args[1:]
		if flag == "--" {
			break
		}
		physical = flag == "-P"
	}
	if len(args) > 1 {
		return r.failed(1, "cd: too many arguments")
	}
	show := false
	var path string
	switch {
	case len(args) == 0:
		if !r.lookupVar("HOME").IsSet() {
			return r.failed(1, "cd: HOME not set")
		}
		path = r.envGet("HOME")
	case args[0] == "-":
		if !r.lookupVar("OLDPWD").IsSet() {
			return r.failed(1, "cd: OLDPWD not set")
		}
		path, show = r.envGet("OLDPWD"), true
	default:
		path = args[0]
		if found := r.searchCDPATH(ctx, path); found != "" {
			path, show = found, true
		}
	}
	if path == "" {
		path = r.Dir
	}
	if physical {
		if real, err := filepath.EvalSymlinks(r.absPath(path)); err == nil {
			path = real
		}
	}
	code := r.changeDir(ctx, "cd", path)
	if code == 0 && show {
		r.outf("%s\n", r.Dir)
	}
	return exitStatus{code: code}
}

func (r *Runner) searchCDPATH(ctx context.Context, path string) string {
	list := r.envGet("CDPATH")
	if list == "" || strings.HasPrefix(path, "/") || path == "." || path == ".." ||
		strings.HasPrefix(path, "./") || strings.HasPrefix(path, "../") {
		return ""
	}
	for _, dir := range filepath.SplitList(list) {
		if dir == "" || dir == "." {
			continue
		}
		candidate := filepath.Join(dir, path)
		if info, err := r.stat(ctx, candidate); err == nil && info.IsDir() {
			return candidate
		}
	}
	return ""
}
