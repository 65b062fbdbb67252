// Package zip holds the commands zip and unzip, on what package archive knows of names and trees.
package zip

import (
	stdzip "archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"capbox/toolbox/commands/archive"
	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/pattern"
)

var zipSpec = kit.Spec{
	Short: "rjqmufdDyXxi0123456789@vTSogeFAclzPstb:nRJwh", Usage: "[OPTION]... FILE[.zip] [FILE]... [-x LIST] [-i LIST]", Status: 16,
	Long: "recurse-paths=r junk-paths=j quiet=q move=m update=u freshen=f delete=d no-dir-entries=D symlinks=y no-extra=X",
}

// zipMembersMax bounds the list of what goes into an archive.
const zipMembersMax = 100_000

// zipJob is one run of zip.
type zipJob struct {
	c                *kit.Call
	opts             *kit.Options
	name             string // of the archive
	include, exclude []string
	level            int
	old              *stdzip.Reader // what was there before, or nil
	added            []zipSource
	place            map[string]int // of a member in added
	matched          bool           // whether any name matched anything
	dirs             []string       // that hold the one being visited, without links
	status           int
}

// zipSource is a file that becomes a member.
type zipSource struct {
	member, path string
	info         fs.FileInfo
}

// Zip is the command zip.
func Zip(c *kit.Call) int {
	j := &zipJob{c: c, level: 6, place: map[string]int{}}
	c.Args, j.exclude = listOptions(c.Args, 'x')
	c.Args, j.include = listOptions(c.Args, 'i')
	opts, status, done := c.Parse(zipSpec)
	if done {
		return status
	}
	for _, letter := range "TSogeFAclzPstbnRJw" {
		if opts.Has(string(letter)) {
			return c.Refused(string(letter))
		}
	}
	if len(opts.Operands) == 0 {
		return c.Usage(16, "missing operand")
	}
	if level := opts.Last("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"); level != "" {
		j.level = int(level[0] - '0')
	}
	j.opts, j.name = opts, opts.Operands[0]
	if base := path.Base(j.name); j.name != "-" && !strings.Contains(base, ".") {
		j.name += ".zip"
	}
	names := opts.Operands[1:]
	if opts.Has("@") {
		lines, err := kit.AllLines(c.Input(), '\n')
		if err != nil {
			return j.fatal(2, "reading names: %s", kit.Reason(err))
		}
		names = append(names, lines...)
	}
	file, status := j.open()
	if status != 0 {
		return status
	}
	if file != nil {
		defer file.Close()
	}
	if opts.Has("d") {
		return j.remove(names)
	}
	return j.collect(names)
}

// fatal ends the run without an archive.
func (j *zipJob) fatal(status int, format string, args ...any) int {
	fmt.Fprintf(j.c.Err(), "\nzip error: "+format+"\n", args...)
	return status
}

func (j *zipJob) warn(format string, args ...any) {
	fmt.Fprintf(j.c.Err(), "\tzip warning: "+format+"\n", args...)
}

// open reads the archive that members are added to, if there is one.
func (j *zipJob) open() (*os.File, int) {
	if j.name == "-" {
		return nil, 0
	}
	file, err := os.Open(j.c.Path(j.name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0
	}
	if err != nil {
		return nil, j.fatal(18, "Could not open for reading: %s (%s)", j.name, kit.Reason(err))
	}
	info, err := file.Stat()
	if err == nil && info.Size() > 0 {
		j.old, err = archive.OpenZip(file, info.Size())
	}
	if err == nil && j.old != nil && archive.Overlapping(j.old.File) {
		err = archive.ErrOverlaps
	}
	if err != nil {
		file.Close()
		return nil, j.fatal(3, "Zip file structure invalid (%s)", j.name)
	}
	return file, 0
}

// collect lists what goes into the archive, and writes it.
func (j *zipJob) collect(names []string) int {
	for _, name := range names {
		if !j.visit(name, true) {
			j.warn("name not matched: %s", name)
		}
		if len(j.added) > zipMembersMax {
			return j.fatal(2, "not supported: more than %d files in one archive", zipMembersMax)
		}
	}
	if j.opts.Has("u", "f") {
		j.outdated()
		if len(j.added) == 0 && (j.matched || j.opts.Has("f")) {
			return 12
		}
	}
	if len(j.added) == 0 {
		return j.fatal(12, "Nothing to do! (%s)", j.name)
	}
	if status := j.write(func(string) bool { return false }); status != 0 {
		return status
	}
	if j.opts.Has("m") {
		j.discard()
	}
	return j.status
}

// visit lists a file, or a directory with all below it if -r says so; false if there is nothing of that name.
func (j *zipJob) visit(name string, top bool) bool {
	c := j.c
	place := c.Path(name)
	info, err := os.Lstat(place)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 && !j.opts.Has("y") {
		info, err = os.Stat(place)
	}
	if err != nil {
		return !top
	}
	j.matched = true
	if info.Mode().IsRegular() || info.Mode()&fs.ModeSymlink != 0 {
		if place != c.Path(j.name) {
			j.list(name, place, info)
		}
		return true
	}
	if !info.IsDir() {
		j.warn("%s is no regular file, directory or link: left out", name)
		return true
	}
	if !j.opts.Has("D", "j") {
		j.list(strings.TrimRight(name, "/")+"/", place, info)
	}
	if j.opts.Has("r") {
		j.below(name, place)
	}
	return true
}

// below visits what is in a directory. A link to one of the directories that hold it would never end.
func (j *zipJob) below(name, place string) {
	real, err := filepath.EvalSymlinks(place)
	if err != nil || len(j.added) > zipMembersMax {
		return
	}
	for _, dir := range j.dirs {
		if dir == real {
			j.warn("%s leads back to a directory that holds it: left out", name)
			return
		}
	}
	entries, err := os.ReadDir(place)
	if err != nil {
		j.warn("could not open directory %s: %s", name, kit.Reason(err))
		j.status = 18
		return
	}
	j.dirs = append(j.dirs, real)
	for _, entry := range entries {
		if j.c.Context.Err() == nil {
			j.visit(kit.JoinName(name, entry.Name()), false)
		}
	}
	j.dirs = j.dirs[:len(j.dirs)-1]
}

// list notes a file under the name that its member gets.
func (j *zipJob) list(name, place string, info fs.FileInfo) {
	member := strings.TrimPrefix(name, "./")
	if j.opts.Has("j") {
		member = path.Base(name)
	}
	inside, _, climbing := archive.Inside(member)
	if strings.HasSuffix(member, "/") && inside != "" {
		inside += "/"
	}
	if climbing {
		j.warn("\"../\" left out of the name of %s", name)
	}
	if inside == "" || !j.wants(inside) {
		return
	}
	if at, known := j.place[inside]; known {
		if j.added[at].path != place {
			j.warn("two files would have the name %s: %s left out", inside, name)
		}
		return
	}
	j.place[inside] = len(j.added)
	j.added = append(j.added, zipSource{inside, place, info})
}

func (j *zipJob) wants(member string) bool {
	wanted := len(j.include) == 0
	for _, glob := range j.include {
		wanted = wanted || pattern.MatchGlob(glob, member)
	}
	for _, glob := range j.exclude {
		if pattern.MatchGlob(glob, member) {
			return false
		}
	}
	return wanted
}

// outdated leaves only what is newer than in the archive (-u), and nothing that is not in it (-f).
func (j *zipJob) outdated() {
	have := map[string]time.Time{}
	if j.old != nil {
		for _, file := range j.old.File {
			have[file.Name] = file.Modified
		}
	}
	var kept []zipSource
	for _, one := range j.added {
		when, known := have[one.member]
		if known && one.info.ModTime().Truncate(time.Second).After(when) || !known && j.opts.Has("u") {
			kept = append(kept, one)
		}
	}
	j.added = kept
	clear(j.place)
	for i, one := range kept {
		j.place[one.member] = i
	}
}

// remove takes members out of the archive (-d).
func (j *zipJob) remove(globs []string) int {
	if j.old == nil {
		return j.fatal(13, "Zip file not found: %s", j.name)
	}
	gone, hit := map[string]bool{}, make([]bool, len(globs))
	for _, file := range j.old.File {
		for i, glob := range globs {
			if pattern.MatchGlob(glob, file.Name) {
				gone[file.Name], hit[i] = true, true
			}
		}
	}
	for i, glob := range globs {
		if !hit[i] {
			j.warn("name not matched: %s", glob)
		}
	}
	if len(gone) == 0 {
		return j.fatal(12, "Nothing to do! (%s)", j.name)
	}
	return j.write(func(name string) bool {
		if gone[name] && !j.opts.Has("q") {
			j.c.Out.Line("deleting: " + visible(name))
		}
		return gone[name]
	})
}

// discard removes what was moved into the archive (-m): files first, then directories that became empty.
func (j *zipJob) discard() {
	for i := len(j.added) - 1; i >= 0; i-- {
		one := j.added[i]
		if err := os.Remove(one.path); err != nil && !one.info.IsDir() {
			j.warn("could not delete %s: %s", one.member, kit.Reason(err))
			j.status = 12
		}
	}
}
