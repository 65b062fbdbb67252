package zip

import (
	stdzip "archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"capbox/toolbox/commands/archive"
	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/pattern"
)

var unzipSpec = kit.Spec{
	Short: "Z1lvtpcnouqd:jCfLPaxXKDbzTUVMs", Usage: "[-l|-v|-t|-p|-c|-Z1] [OPTION]... FILE[.zip] [LIST]... [-x LIST] [-d DIRECTORY]", Status: 10,
}

// unzipJob is one run of unzip.
type unzipJob struct {
	c       *kit.Call
	opts    *kit.Options
	name    string // of the archive
	wanted  []string
	found   []bool
	exclude []string
	quiet   int
	in      *stdzip.Reader
	tree    *archive.Tree
	into    string // the directory as it is shown, with a slash
	answer  string // to "replace?", once it is for all
	status  int
}

// Unzip is the command unzip.
func Unzip(c *kit.Call) int {
	j := &unzipJob{c: c}
	c.Args, j.exclude = listOptions(c.Args, 'x')
	opts, status, done := c.Parse(unzipSpec)
	if done {
		return status
	}
	for _, key := range []string{"P", "a", "X", "z", "T", "U", "V", "M", "s", "b"} {
		if opts.Has(key) {
			return c.Refused(key)
		}
	}
	if opts.Has("Z") && !opts.Has("1") {
		return c.Refused("Z")
	}
	if len(opts.Operands) == 0 {
		return c.Usage(10, "missing operand")
	}
	j.opts, j.name, j.wanted = opts, opts.Operands[0], opts.Operands[1:]
	j.found = make([]bool, len(j.wanted))
	for _, one := range opts.List {
		if one.Key == "q" {
			j.quiet++
		}
	}
	file, status := j.open()
	if status != 0 {
		return status
	}
	defer file.Close()
	return j.run()
}

// listOptions takes the patterns after -x (or another letter) out of the arguments: they go on to the next option.
func listOptions(args []string, letter byte) (rest, patterns []string) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if len(arg) < 2 || arg[0] != '-' || arg[1] == '-' || arg[len(arg)-1] != letter {
			rest = append(rest, arg)
			continue
		}
		if len(arg) > 2 {
			rest = append(rest, arg[:len(arg)-1])
		}
		for i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") && args[i+1] != "@" {
			i++
			patterns = append(patterns, args[i])
		}
	}
	return rest, patterns
}

// open finds the archive under its name, or that with .zip.
func (j *unzipJob) open() (*os.File, int) {
	c, given := j.c, j.name
	info, err := os.Stat(c.Path(given))
	if err != nil || info.IsDir() {
		if other, otherErr := os.Stat(c.Path(given + ".zip")); otherErr == nil && !other.IsDir() {
			j.name, info, err = given+".zip", other, nil
		}
	}
	if err != nil || info.IsDir() {
		fmt.Fprintf(c.Err(), "%s:  cannot find or open %s, %s.zip or %s.ZIP.\n", c.Name, given, given, given)
		return nil, 9
	}
	file, err := os.Open(c.Path(j.name))
	if err != nil {
		fmt.Fprintf(c.Err(), "error:  cannot open zipfile [ %s ]\n        %s\n", j.name, kit.Reason(err))
		return nil, 9
	}
	j.in, err = archive.OpenZip(file, info.Size())
	if err == nil {
		return file, 0
	}
	file.Close()
	if !errors.Is(err, archive.ErrNoZip) {
		c.Fail("not supported: %s: %s", j.name, kit.Reason(err))
		return nil, 2
	}
	j.header()
	fmt.Fprintf(c.Err(), "  End-of-central-directory signature not found.  Either this file is not\n"+
		"  a zipfile, or it constitutes one disk of a multi-part archive.  In the\n"+
		"  latter case the central directory and zipfile comment will be found on\n"+
		"  the last disk(s) of this archive.\n"+
		"%s:  cannot find zipfile directory in one of %s or\n        %s.zip, and cannot find %s.ZIP, period.\n",
		c.Name, j.name, j.name, j.name)
	return nil, 9
}

// header is the first line of most outputs.
func (j *unzipJob) header() {
	if j.quiet == 0 && !j.opts.Has("p", "Z") {
		j.c.Out.Line("Archive:  " + j.name)
	}
}

func (j *unzipJob) run() int {
	j.header()
	if archive.Overlapping(j.in.File) {
		fmt.Fprintln(j.c.Err(), "error: invalid zip file with overlapped components (possible zip bomb)")
		return 12
	}
	switch {
	case j.opts.Has("Z"):
		j.eachMember(func(file *stdzip.File) { j.c.Out.Line(visible(file.Name)) })
	case j.opts.Has("v"):
		j.listLong()
	case j.opts.Has("l"):
		j.listShort()
	case j.opts.Has("t"):
		j.test()
	case j.opts.Has("p", "c"):
		j.eachMember(j.show)
	default:
		if status := j.plant(); status != 0 {
			return status
		}
		j.eachMember(j.extract)
		j.finish()
	}
	for i, found := range j.found {
		if !found {
			fmt.Fprintf(j.c.Err(), "caution: filename not matched:  %s\n", j.wanted[i])
			j.status = max(j.status, 11)
		}
	}
	return j.status
}

// visible is a name as unzip shows it: control characters become ^X, so that no name drives a terminal.
func visible(name string) string {
	if !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }) {
		return name
	}
	var out strings.Builder
	for _, char := range name {
		switch {
		case char < ' ':
			out.WriteString("^" + string(char+'@'))
		case char == 0x7f || char >= 0x80 && char < 0xa0:
			out.WriteByte('?')
		default:
			out.WriteRune(char)
		}
	}
	return out.String()
}

// eachMember visits the members that the operands ask for.
func (j *unzipJob) eachMember(visit func(*stdzip.File)) {
	for _, file := range j.in.File {
		if j.c.Context.Err() != nil {
			return
		}
		if j.selects(file.Name) {
			visit(file)
		}
	}
}

func (j *unzipJob) selects(name string) bool {
	match := pattern.MatchGlob
	if j.opts.Has("C") {
		match = pattern.MatchGlobFold
	}
	selected := len(j.wanted) == 0
	for i, glob := range j.wanted {
		if match(glob, name) {
			selected, j.found[i] = true, true
		}
	}
	for _, glob := range j.exclude {
		if match(glob, name) {
			return false
		}
	}
	return selected
}

// show copies a member to the standard output.
func (j *unzipJob) show(file *stdzip.File) {
	if file.Mode().IsDir() {
		return
	}
	if j.opts.Has("c") && j.quiet == 0 {
		j.c.Out.Printf("%s: %-22s  \n", doing(file), visible(file.Name))
	}
	j.copy(file, struct{ io.Writer }{j.c.Out})
	if j.opts.Has("c") && j.quiet == 0 {
		j.c.Out.Line("")
	}
}

// doing is what unzip calls the extraction of a member.
func doing(file *stdzip.File) string {
	if file.Method == stdzip.Store {
		return " extracting"
	}
	return "  inflating"
}

// copy writes a member's content and says whether all of it was there.
func (j *unzipJob) copy(file *stdzip.File, out io.Writer) bool {
	in, err := j.content(file)
	if in == nil {
		return false
	}
	defer in.Close()
	source := &archive.Noted{In: in}
	if _, err = io.CopyBuffer(out, source, make([]byte, 64<<10)); err == nil {
		return true
	}
	if source.Err == nil {
		j.fail(50, "%s:  write error (%s)", visible(file.Name), kit.Reason(err))
		return false
	}
	j.broken(file, source.Err)
	return false
}

// content opens a member; nil after a message.
func (j *unzipJob) content(file *stdzip.File) (io.ReadCloser, error) {
	const encrypted = 1
	if file.Flags&encrypted != 0 {
		j.fail(81, "   skipping: %-22s  encrypted (not supported)", visible(file.Name))
		return nil, fs.ErrInvalid
	}
	in, err := archive.OpenZipped(file)
	if errors.Is(err, stdzip.ErrAlgorithm) {
		j.fail(81, "   skipping: %-22s  unsupported compression method %d", visible(file.Name), file.Method)
		return nil, err
	}
	if err != nil {
		j.broken(file, err)
		return nil, err
	}
	return in, nil
}

// broken says what is wrong with a member's content.
func (j *unzipJob) broken(file *stdzip.File, err error) {
	text := map[bool]string{true: "bad CRC", false: "invalid compressed data to inflate"}[errors.Is(err, archive.ErrChecksum)]
	if errors.Is(err, io.ErrUnexpectedEOF) {
		text = "unexpected end of file"
	}
	j.fail(2, "%s:  %s", visible(file.Name), text)
}

// fail reports a problem with a member; the run goes on.
func (j *unzipJob) fail(status int, format string, args ...any) {
	fmt.Fprintf(j.c.Err(), format+"\n", args...)
	j.status = max(j.status, status)
}
