// Package files is the tools read, write, edit, apply_patch, glob, grep and tree.
//
// It guarantees results no larger than the request's output bound, writes that happen whole or not at all, edits
// that apply completely or change nothing, and errors that name the thing, the reason and the way on.
// It decides no access: the host refuses what the run may not touch, and the tools report it.
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"capbox/toolbox/abi"
)

// place is a file as the tools use it and as they show it.
type place struct {
	path      string // absolute and clean
	shown     string // relative to the working directory when below it
	directory bool   // written with a trailing slash
}

// locate resolves a path argument. The second result is a failure when the third is false.
func locate(req *abi.Request, text string) (place, abi.Result, bool) {
	if text == "" {
		return place{}, abi.Fail("invalid_arguments", "path is empty: name a file"), false
	}
	if strings.ContainsRune(text, 0) {
		return place{}, abi.Fail("invalid_arguments", "path holds a NUL byte, which no file name can"), false
	}
	absolute := text
	if !path.IsAbs(text) {
		absolute = path.Join(req.Cwd, text)
	}
	absolute = path.Clean(absolute)
	return place{absolute, shorten(req.Cwd, absolute), strings.HasSuffix(text, "/")}, abi.Result{}, true
}

// shorten gives a path relative to the working directory if it lies there.
func shorten(cwd, absolute string) string {
	if absolute == cwd {
		return "."
	}
	if rest, ok := strings.CutPrefix(absolute, strings.TrimSuffix(cwd, "/")+"/"); ok {
		return rest
	}
	return absolute
}

// failed turns an error of the file system into the tools' words. The verb is what was tried: "read", "write".
func failed(p place, verb string, err error) abi.Result {
	switch {
	case abi.Refused(err):
		return abi.Fail("permission_denied", "%s: Permission denied: the run holds no grant to %s it, or the grant excludes this name. "+
			"Go on without it, or say that %s:%s is needed.", p.shown, verb, verb, p.path)
	case errors.Is(err, syscall.EROFS):
		return abi.Fail("permission_denied", "%s: the file system is read-only: write elsewhere.", p.shown)
	case errors.Is(err, fs.ErrNotExist):
		return missing(p)
	case errors.Is(err, syscall.ENOTDIR):
		return abi.Fail("not_a_directory", "%s: a part of this path is a file, not a directory.", p.shown)
	case errors.Is(err, syscall.EISDIR):
		return isDirectory(p)
	case errors.Is(err, syscall.ELOOP):
		return abi.Fail("link_loop", "%s: the symbolic links lead in a circle.", p.shown)
	case errors.Is(err, syscall.ENAMETOOLONG):
		return abi.Fail("invalid_arguments", "%s: the name is too long (255 bytes a component).", p.shown)
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return abi.Fail("no_space", "%s: no space left to %s it.", p.shown, verb)
	}
	return abi.Fail("io", "%s: could not %s it: %s.", p.shown, verb, abi.Reason(err))
}

func isDirectory(p place) abi.Result {
	return abi.Fail("is_directory", "%s is a directory. List it with tree {\"path\": \"%s\"}.", p.shown, p.shown)
}

func missing(p place) abi.Result {
	if link, target := dangling(p.path); link != "" {
		name := p.shown
		if link != p.path {
			name = fmt.Sprintf("%s: %s", p.shown, path.Base(link))
		}
		return abi.Fail("not_found", "%s is a symbolic link to %s, which does not exist or is not part of this sandbox.", name, target)
	}
	if near := similar(p.path); near != "" {
		return abi.Fail("not_found", "%s: No such file or directory. Did you mean %s?", p.shown, path.Join(path.Dir(p.shown), near))
	}
	return abi.Fail("not_found", "%s: No such file or directory. Find files with glob, for example {\"pattern\": \"**/%s\"}.",
		p.shown, path.Base(p.path))
}

// dangling is the link on the way to a missing file that leads nowhere, if it is that which is missing.
func dangling(missing string) (link, target string) {
	for at := missing; at != "/" && at != "."; at = path.Dir(at) {
		info, err := os.Lstat(at)
		if err != nil {
			continue
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			if _, err := os.Stat(at); errors.Is(err, fs.ErrNotExist) {
				target, _ = os.Readlink(at)
				return at, target
			}
		}
		break
	}
	return "", ""
}

// similar finds a name beside the missing one that differs in case, ending or a letter or two.
func similar(missing string) string {
	const namesMax = 2000
	directory, err := os.Open(path.Dir(missing))
	if err != nil {
		return ""
	}
	defer directory.Close()
	names, _ := directory.Readdirnames(namesMax)
	want := strings.ToLower(path.Base(missing))
	stem := strings.TrimSuffix(want, path.Ext(want))
	best, bestDistance := "", 3
	for _, name := range names {
		lower := strings.ToLower(name)
		d := distance(lower, want, bestDistance+1)
		if strings.TrimSuffix(lower, path.Ext(lower)) == stem && stem != "" {
			d = min(d, 1)
		}
		if d < bestDistance && d < len(want) || d == bestDistance && best != "" && name < best {
			best, bestDistance = name, d
		}
	}
	return best
}

// distance is Levenshtein's, or the limit if it is not below it.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return min(row[len(b)], limit)
}
