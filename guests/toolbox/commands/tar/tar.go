// Package tar is the command tar, on what package archive knows of streams, names and trees.
package tar

import (
	"bufio"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"capbox/toolbox/commands/archive"
	"capbox/toolbox/commands/calendar"
	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/pattern"
)

var tarSpec = kit.Spec{
	Short: "cxtruf:C:zjJavOkpPmhoUwX:T:I:nslSWAdGMZg:F:K:N:L:V:b:",
	Long: "create=c extract=x get=x list=t append=r update=u file=f directory=C gzip=z gunzip=z ungzip=z bzip2=j xz=J " +
		"auto-compress=a verbose=v to-stdout=O keep-old-files=k preserve-permissions=p same-permissions=p absolute-names=P " +
		"touch=m dereference=h unlink-first=U exclude-from=X files-from=T use-compress-program=I " +
		"strip-components: exclude: exclude-vcs skip-old-files keep-newer-files overwrite one-top-level:: " +
		"wildcards no-wildcards anchored no-anchored no-recursion recursion null owner: group: numeric-owner mode: mtime: " +
		"sort: format: same-owner no-same-owner=o no-same-permissions no-overwrite-dir delay-directory-restore warning: " +
		"totals transform: xform: remove-files delete diff compare ignore-zeros zstd lzma lzip lzop compress checkpoint:: " +
		"block-number full-time listed-incremental: incremental multi-volume sparse show-defaults verify newer:",
	Usage: "-c|-x|-t|-r|-u [OPTION]... [FILE]...", Status: 64,
}

// tarRefused are options of GNU tar that change the result and do not exist here.
var tarRefused = []string{
	"w", "W", "A", "d", "G", "M", "Z", "g", "F", "K", "N", "L", "V", "transform", "xform", "remove-files", "delete", "diff",
	"compare", "ignore-zeros", "zstd", "lzma", "lzip", "lzop", "compress", "checkpoint", "block-number", "full-time",
	"listed-incremental", "incremental", "multi-volume", "show-defaults", "verify", "newer", "s", "n", "totals",
}

// tarJob is one run of tar.
type tarJob struct {
	c        *kit.Call
	opts     *kit.Options
	operands []tarOperand
	mode     string // c x t r u
	file     string
	verbose  int
	codec    *archive.Codec
	exclude  []string
	status   int
	told     map[string]bool // messages that are given once
}

// tarOperand is a name with the directory it is meant in.
type tarOperand struct{ dir, name string }

// tarTold bounds how many messages are remembered as given.
const tarTold = 1000

// Tar is the command tar.
func Tar(c *kit.Call) int {
	j := &tarJob{c: c, opts: &kit.Options{}, file: "-", told: map[string]bool{}}
	if status, done := j.parse(); done {
		return status
	}
	if status, done := j.prepare(); done {
		return status
	}
	fatal := 0
	switch j.mode {
	case "c":
		fatal = j.create()
	case "r", "u":
		fatal = j.appendTo()
	default:
		fatal = j.read()
	}
	if fatal != 0 {
		return fatal
	}
	if j.status == 2 {
		c.Fail("Exiting with failure status due to previous errors")
	}
	return j.status
}

// fatal ends the run: there is nothing after this.
func (j *tarJob) fatal(format string, args ...any) int {
	j.c.Fail(format, args...)
	j.c.Fail("Error is not recoverable: exiting now")
	return 2
}

// fail reports a problem with one member; the run goes on.
func (j *tarJob) fail(format string, args ...any) {
	j.c.Fail(format, args...)
	j.status = 2
}

// tell gives a message once.
func (j *tarJob) tell(format, about string) {
	if key := format + about; !j.told[key] && len(j.told) < tarTold {
		j.told[key] = true
		if about == "" {
			j.c.Fail("%s", format)
		} else {
			j.c.Fail(format, archive.Quoted(about))
		}
	}
}

// parse reads the arguments in their order: -C holds for the names after it. A first word without a dash is a bundle
// of letters whose values follow in the same order.
func (j *tarJob) parse() (int, bool) {
	args, old := j.c.Args, []string(nil)
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		rest := args[1:]
		for _, letter := range args[0] {
			old = append(old, "-"+string(letter))
			if strings.Contains(tarSpec.Short, string(letter)+":") && len(rest) > 0 {
				old = append(old, rest[0])
				rest = rest[1:]
			}
		}
		args = append(old, rest...)
	}
	spec := tarSpec
	spec.Ordered = true
	dir := j.c.Dir
	for {
		opts, status, done := j.c.ParseWords(spec, args)
		if done {
			return status, true
		}
		for _, option := range opts.List {
			if option.Key == "C" {
				dir = kit.Absolute(dir, option.Value)
			}
		}
		j.opts.List = append(j.opts.List, opts.List...)
		if len(opts.Operands) == 0 {
			j.opts.List = append(j.opts.List, kit.Option{Key: "in", Value: dir})
			return 0, false
		}
		j.operands = append(j.operands, tarOperand{dir, opts.Operands[0]})
		if args = opts.Operands[1:]; len(args) == 0 {
			j.opts.List = append(j.opts.List, kit.Option{Key: "in", Value: dir})
			return 0, false
		}
	}
}

func (j *tarJob) prepare() (int, bool) {
	c, opts := j.c, j.opts
	for _, key := range tarRefused {
		if opts.Has(key) {
			return c.Refused(key), true
		}
	}
	for _, one := range opts.List {
		switch one.Key {
		case "c", "x", "t", "r", "u":
			if j.mode != "" && j.mode != one.Key {
				return c.Usage(2, "You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option"), true
			}
			j.mode = one.Key
		case "v":
			j.verbose++
		case "exclude":
			j.exclude = append(j.exclude, one.Value)
		case "exclude-vcs":
			j.exclude = append(j.exclude, ".git", ".gitignore", ".gitattributes", ".gitmodules", ".hg", ".hgignore", ".svn", "CVS", ".bzr")
		}
	}
	if j.mode == "" {
		return c.Usage(2, "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options"), true
	}
	if text, ok := opts.Value("f"); ok {
		j.file = text
	}
	for _, read := range []func() (int, bool){j.readLists, j.chooseCodec} {
		if status, done := read(); done {
			return status, true
		}
	}
	return 0, false
}

// readLists takes names (-T) and patterns (-X) from files.
func (j *tarJob) readLists() (int, bool) {
	for _, one := range j.opts.List {
		if one.Key != "T" && one.Key != "X" {
			continue
		}
		in, err := j.c.Open(one.Value)
		if err != nil {
			return j.fatal("%s: Cannot open: %s", archive.Quoted(one.Value), kit.Reason(err)), true
		}
		end := byte('\n')
		if j.opts.Has("null") && one.Key == "T" {
			end = 0
		}
		names, err := kit.AllLines(in, end)
		in.Close()
		if err != nil {
			return j.fatal("%s: Read error: %s", archive.Quoted(one.Value), kit.Reason(err)), true
		}
		for _, name := range names {
			switch {
			case name == "":
			case one.Key == "X":
				j.exclude = append(j.exclude, name)
			default:
				j.operands = append(j.operands, tarOperand{j.dir(), name})
			}
		}
	}
	return 0, false
}

// dir is the last directory that -C named.
func (j *tarJob) dir() string {
	dir, _ := j.opts.Value("in")
	return dir
}

func (j *tarJob) chooseCodec() (int, bool) {
	switch j.opts.Last("z", "j", "J", "I") {
	case "z":
		j.codec = archive.Gzip
	case "j":
		j.codec = archive.Bzip2
	case "J":
		j.codec = archive.Xz
	case "I":
		program, _ := j.opts.Value("I")
		at := slices.IndexFunc(archive.Codecs, func(one *archive.Codec) bool { return one.Name == program })
		if at < 0 {
			j.c.Fail("not supported: --use-compress-program=%s", archive.Quoted(program))
			return 2, true
		}
		j.codec = archive.Codecs[at]
	default:
		if j.opts.Has("a") && j.mode == "c" {
			j.codec = archive.BySuffix(j.file)
		}
	}
	return 0, false
}

// excluded says whether a pattern of --exclude matches the name, or ends of it after a slash.
func (j *tarJob) excluded(name string) bool {
	name = strings.TrimSuffix(name, "/")
	for _, glob := range j.exclude {
		glob = strings.TrimSuffix(glob, "/")
		if pattern.MatchGlob(glob, name) {
			return true
		}
		for i := 0; i < len(name) && !j.opts.Has("anchored"); i++ {
			if name[i] == '/' && pattern.MatchGlob(glob, name[i+1:]) {
				return true
			}
		}
		for i := 1; i < len(name); i++ {
			if name[i] == '/' && j.mode != "c" && pattern.MatchGlob(glob, name[:i]) {
				return true
			}
		}
	}
	return false
}

// number reads an option's number, 0 if it is not given.
func (j *tarJob) number(key string) (int, bool) {
	text, given := j.opts.Value(key)
	if !given {
		return 0, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0
}

// output opens the archive for writing, compressed as asked; close ends all of it.
func (j *tarJob) output() (out io.Writer, finish func() error, err error) {
	var file io.WriteCloser
	if j.file == "-" {
		file = archive.Unclosed{Writer: j.c.Out}
	} else if file, err = j.c.Create(j.file); err != nil {
		return nil, nil, err
	}
	buffered := bufio.NewWriterSize(file, 64<<10)
	stream := io.WriteCloser(archive.Unclosed{Writer: buffered})
	if j.codec != nil {
		if stream, err = j.codec.Create(buffered, 0); err != nil {
			file.Close()
			return nil, nil, err
		}
	}
	return stream, func() error { return errors.Join(stream.Close(), buffered.Flush(), file.Close()) }, nil
}

// when is the time that --mtime asks for.
func (j *tarJob) when() (time.Time, bool) {
	text, given := j.opts.Value("mtime")
	if !given {
		return time.Time{}, true
	}
	if info, err := os.Stat(j.c.Path(text)); err == nil && strings.ContainsAny(text, "/.") {
		return info.ModTime(), true
	}
	return calendar.Parse(text, time.Now().UTC())
}
