package files

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"capbox/toolbox/abi"
	"capbox/toolbox/files/gitignore"
)

const (
	ignoreFile     = ".gitignore"
	ignoreBytesMax = 1 << 20
)

// walk visits a tree in the order of names, leaving out what git ignores and git's own directory. It follows no
// links, so it ends. What cannot be listed is noted and passed over.
type walk struct {
	cwd      string
	all      bool // also what .gitignore hides
	git      bool // also .git
	plain    bool // no names that begin with a dot
	enter    func(path, name string, depth int) bool
	file     func(directory, name string, depth int, kind fs.FileMode) bool // false ends the walk
	hidden   int                                                            // entries left out because git ignores them
	problems []string
}

// run starts at a directory; only its own error is returned.
func (w *walk) run(root string) error {
	var level *gitignore.Level
	if !w.all {
		level = w.above(root)
	}
	w.git = w.git || slices.Contains(strings.Split(root, "/"), ".git")
	entries, err := list(root)
	if err != nil {
		return err
	}
	w.visit(root, entries, 0, level)
	return nil
}

// under is a name in a directory. Most names in a search are never wanted whole, so callers join late.
func under(directory, name string) string {
	if directory == "/" {
		return "/" + name
	}
	return directory + "/" + name
}

func (w *walk) visit(directory string, entries []entry, depth int, level *gitignore.Level) bool {
	if !w.all {
		level = below(level, directory, entries)
	}
	for i := range entries {
		entry := &entries[i]
		name := entry.name
		if name[0] == '.' && (w.plain || name == ".git" && !w.git) {
			continue
		}
		if level != nil && level.Ignored(under(directory, name), name, entry.IsDir()) {
			w.hidden++
			continue
		}
		if !entry.IsDir() {
			if !w.file(directory, name, depth, entry.kind) {
				return false
			}
			continue
		}
		full := under(directory, name)
		if !w.enter(full, name, depth) {
			continue
		}
		inner, err := list(full)
		if err != nil {
			w.note(full, err)
		}
		if !w.visit(full, inner, depth+1, level) {
			return false
		}
	}
	return true
}

// note keeps a path that could not be read.
func (w *walk) note(full string, err error) {
	w.problems = append(w.problems, shorten(w.cwd, full)+": "+abi.Reason(err))
}

// below adds a directory's own ignore file, if it lists one: asking for a file that is not there costs a call. Where
// a repository begins, git's rules begin anew, with the one file that has no name of its own in the tree.
func below(level *gitignore.Level, directory string, entries []entry) *gitignore.Level {
	if named(entries, ".git", fs.FileMode.IsDir) {
		level = nil
		if git := path.Join(directory, ".git"); lists(git, "info", fs.FileMode.IsDir) && lists(git+"/info", "exclude", fs.FileMode.IsRegular) {
			level = level.Below(directory, rulesOf(git+"/info/exclude"))
		}
	}
	if !named(entries, ignoreFile, fs.FileMode.IsRegular) {
		return level
	}
	return level.Below(directory, rulesOf(path.Join(directory, ignoreFile)))
}

func rulesOf(file string) gitignore.Rules {
	text, err := os.ReadFile(file)
	if err != nil || len(text) > ignoreBytesMax {
		return gitignore.Rules{}
	}
	return gitignore.Parse(string(text))
}

// named says whether sorted entries hold a name of that kind.
func named(entries []entry, name string, kind func(fs.FileMode) bool) bool {
	at, found := slices.BinarySearchFunc(entries, name, func(entry entry, name string) int {
		return strings.Compare(entry.name, name)
	})
	return found && kind(entries[at].Type())
}

// lists says the same of a directory that has not been read. It is listed, and the name never probed: asking for a name
// outside the grant would be recorded as a refused access.
func lists(directory, name string, kind func(fs.FileMode) bool) bool {
	entries, err := list(directory)
	return err == nil && named(entries, name, kind)
}

// above collects the ignore files of the directories over the root, up to the one that holds `.git` or the mount's
// root. If they hide the root itself, its caller named it on purpose, and they are left out. Parents are listed and
// never probed: asking for a name outside the grant would be recorded as a refused access.
func (w *walk) above(root string) *gitignore.Level {
	type parent struct {
		path    string
		entries []entry
	}
	var parents []parent
	for at, top := root, w.top(root); at != top; {
		if isRepository(at) {
			break
		}
		at = path.Dir(at)
		entries, err := list(at)
		if err != nil {
			break
		}
		parents = append(parents, parent{at, entries})
		if slices.ContainsFunc(entries, func(entry entry) bool { return entry.name == ".git" }) {
			break
		}
	}
	var level *gitignore.Level
	for _, one := range slices.Backward(parents) {
		level = below(level, one.path, one.entries)
		rest := strings.TrimPrefix(root[len(one.path):], "/")
		name, _, _ := strings.Cut(rest, "/")
		if level.Ignored(path.Join(one.path, name), name, true) {
			return nil
		}
	}
	return level
}

func isRepository(directory string) bool {
	entries, err := list(directory)
	return err == nil && slices.ContainsFunc(entries, func(entry entry) bool { return entry.name == ".git" })
}

// top is the highest directory whose ignore files may concern the root: the workspace, a mount, or the working
// directory.
func (w *walk) top(root string) string {
	for _, candidate := range []string{"/workspace", mountOf(root), w.cwd} {
		if candidate != "" && (root == candidate || strings.HasPrefix(root, strings.TrimSuffix(candidate, "/")+"/")) {
			return candidate
		}
	}
	return root
}

func mountOf(root string) string {
	rest, ok := strings.CutPrefix(root, "/mnt/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return "/mnt/" + name
}

// unreadable is the first few problems for a result's data, as far as the page has room.
func (w *walk) unreadable(out *page) []string {
	const listed = 5
	var some []string
	for _, one := range w.problems[:min(listed, len(w.problems))] {
		if out.take(8 + abi.EscapedSize([]byte(one))) {
			some = append(some, one)
		}
	}
	return some
}

// remarks are the closing notes that every search shares.
func (w *walk) remarks(out *page, found bool) {
	const listed = 5
	if len(w.problems) > 0 {
		text := strings.Join(w.problems[:min(listed, len(w.problems))], "; ")
		if len(w.problems) > listed {
			text += "; ..."
		}
		out.line("", []byte("["+counted(len(w.problems), "path", "paths")+" could not be read: "+text+"]"))
	}
	if !found && w.hidden > 0 {
		out.note("[" + counted(w.hidden, "entry is", "entries are") + " hidden by .gitignore; \"ignored\": true includes them]")
	}
}
