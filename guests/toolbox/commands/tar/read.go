package tar

import (
	stdtar "archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"capbox/toolbox/commands/archive"
	"capbox/toolbox/commands/compress"
	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/pattern"
)

// tarReading is one archive that is listed or extracted.
type tarReading struct {
	*tarJob
	in      *stdtar.Reader
	packed  *packedInput // nil if the archive is not compressed
	passed  *archive.Passage
	first   bool
	strip   int
	wanted  []tarWanted
	tree    *archive.Tree
	discard []byte
}

// paddingBytesMax is how far a compressed archive is read after its end: a bomb may follow there.
const paddingBytesMax = 1 << 20

// tarWanted is a member that an operand names.
type tarWanted struct {
	name  string
	found bool
}

// packedInput notes why the decompression ended, which the tar format on top of it cannot tell.
type packedInput struct {
	io.Reader
	codec  *archive.Codec
	failed error
}

func (p *packedInput) Read(into []byte) (int, error) {
	n, err := p.Reader.Read(into)
	if errors.Is(err, archive.ErrTrailing) {
		err = io.EOF
	}
	if err != nil && err != io.EOF {
		p.failed = err
	}
	return n, err
}

func (j *tarJob) read() int {
	r := &tarReading{tarJob: j, first: true}
	strip, ok := j.number("strip-components")
	if !ok {
		text, _ := j.opts.Value("strip-components")
		return j.c.Usage(2, "%s: Invalid number of elements", archive.Quoted(text))
	}
	r.strip = strip
	for _, operand := range j.operands {
		if operand.dir != j.dir() {
			j.c.Fail("not supported: -C after the name of a member")
			return 2
		}
		r.wanted = append(r.wanted, tarWanted{name: strings.TrimRight(operand.name, "/")})
	}
	file, err := j.c.Open(j.file)
	if err != nil {
		return j.fatal("%s: Cannot open: %s", archive.Quoted(j.file), kit.Reason(err))
	}
	defer file.Close()
	if status := r.open(bufio.NewReaderSize(file, 64<<10)); status != 0 {
		return status
	}
	if j.mode == "x" && !j.opts.Has("O") {
		if status := r.plant(); status != 0 {
			return status
		}
	}
	return r.members()
}

// open finds out how the archive is compressed: by the option, or by its first bytes.
func (r *tarReading) open(in *bufio.Reader) int {
	codec := r.codec
	if codec == nil {
		codec = archive.Detect(in)
	}
	if codec == nil {
		if _, err := in.Peek(1); errors.Is(err, io.EOF) {
			r.first = false
			r.fail("This does not look like a tar archive")
		}
		r.passed = &archive.Passage{In: in}
		r.in = stdtar.NewReader(r.passed)
		return 0
	}
	content, err := codec.Open(in)
	if err != nil {
		return r.packedFailed(codec, err)
	}
	r.packed = &packedInput{Reader: content, codec: codec}
	r.passed = &archive.Passage{In: bufio.NewReaderSize(r.packed, 64<<10)}
	r.in = stdtar.NewReader(r.passed)
	return 0
}

// packedFailed ends as tar does when the program it pipes through fails.
func (r *tarReading) packedFailed(codec *archive.Codec, err error) int {
	io.WriteString(r.c.Err(), compress.Complain(codec, codec.Name, compress.StdinName(codec), err))
	if !r.first {
		return r.fatal("Unexpected EOF in archive")
	}
	status := 1
	if codec == archive.Bzip2 {
		status = 2
	}
	return r.fatal("Child returned status %d", status)
}

// plant prepares the directory that is extracted into.
func (r *tarReading) plant() int {
	base := r.dir()
	if info, err := os.Stat(base); err != nil || !info.IsDir() {
		name, _ := r.opts.Value("C")
		if err == nil {
			return r.fatal("%s: Cannot open: Not a directory", archive.Quoted(name))
		}
		return r.fatal("%s: Cannot open: %s", archive.Quoted(name), kit.Reason(err))
	}
	if top, given := r.opts.Value("one-top-level"); given {
		if top == "" {
			top = topLevel(r.file)
		}
		if top == "" {
			return r.c.Usage(2, "Cannot deduce top-level directory name; please set it explicitly with --one-top-level=DIR")
		}
		base = kit.Absolute(base, top)
		if err := r.c.MakeParents(base); err != nil {
			return r.fatal("%s: Cannot mkdir: %s", archive.Quoted(top), kit.Reason(err))
		}
	}
	r.tree = archive.NewTree(strings.TrimRight(base, "/"), r.opts.Has("P"), fileinfo.SetMode)
	return 0
}

// topLevel is an archive's name without directory and suffixes.
func topLevel(file string) string {
	name := file[strings.LastIndexByte(file, '/')+1:]
	for _, suffix := range []string{".gz", ".bz2", ".xz", ".tgz", ".tbz2", ".tbz", ".txz", ".tar"} {
		name = strings.TrimSuffix(name, suffix)
	}
	if name == "-" || name == file {
		return ""
	}
	return name
}

// members goes through the archive.
func (r *tarReading) members() int {
	for r.c.Context.Err() == nil {
		header, err := r.in.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			r.first = false
			err = r.member(header)
		}
		if err != nil {
			r.finish()
			if r.packed != nil && r.packed.failed != nil {
				return r.packedFailed(r.packed.codec, r.packed.failed)
			}
			return r.broken(err)
		}
	}
	r.finish()
	if r.passed.N%512 != 0 {
		return r.broken(io.ErrUnexpectedEOF)
	}
	if r.packed != nil {
		// What follows the archive's end is padding, and the sum of the compressed stream.
		if _, _ = io.CopyN(io.Discard, r.passed, paddingBytesMax); r.packed.failed != nil {
			return r.packedFailed(r.packed.codec, r.packed.failed)
		}
	}
	for _, one := range r.wanted {
		if !one.found {
			if strings.ContainsAny(one.name, "*?[") && !r.opts.Has("wildcards") {
				r.c.Fail("Pattern matching characters used in file names")
				r.c.Fail("Use --wildcards to enable pattern matching, or --no-wildcards to suppress this warning")
			}
			r.fail("%s: Not found in archive", archive.Quoted(one.name))
		}
	}
	return 0
}

// broken says what is wrong with the archive itself; nothing after this place can be read.
func (r *tarReading) broken(err error) int {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && !r.first:
		return r.fatal("Unexpected EOF in archive")
	case r.first && (errors.Is(err, stdtar.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF)):
		r.fail("This does not look like a tar archive")
		return 0
	case errors.Is(err, stdtar.ErrHeader), errors.Is(err, stdtar.ErrFieldTooLong):
		return r.fatal("The archive is damaged after the last member shown: a header is not valid")
	}
	return r.fatal("%s: Read error: %s", archive.Quoted(r.file), kit.Reason(err))
}

// selects says whether the operands ask for this member.
func (r *tarReading) selects(name string) bool {
	if r.excluded(name) {
		return false
	}
	name = strings.TrimRight(name, "/")
	selected := len(r.wanted) == 0
	for i := range r.wanted {
		one := &r.wanted[i]
		if name == one.name || strings.HasPrefix(name, one.name+"/") && !r.opts.Has("no-recursion") ||
			r.opts.Has("wildcards") && pattern.MatchGlob(one.name, name) {
			selected, one.found = true, true
		}
	}
	return selected
}

// member lists or extracts one; an error is one of the archive.
func (r *tarReading) member(header *stdtar.Header) error {
	if header.Typeflag == stdtar.TypeXGlobalHeader || !r.selects(header.Name) {
		return nil
	}
	if r.mode == "t" {
		r.show(r.c.Out, header, r.verbose)
		return nil
	}
	name := header.Name
	if r.strip > 0 {
		var ok bool
		if name, ok = archive.Shortened(name, r.strip); !ok {
			return nil
		}
	}
	if !r.opts.Has("P") {
		var cut string
		if name, cut = archive.Below(name); cut != "" {
			r.tell("Removing leading `%s' from member names", cut)
		}
	}
	if r.verbose > 0 {
		out := io.Writer(r.c.Out)
		if r.opts.Has("O") {
			out = r.c.Err()
		}
		r.show(out, header, r.verbose-1)
	}
	if r.opts.Has("O") {
		return r.toStdout(header)
	}
	return r.extract(header, name)
}

// toStdout copies a member's content; a failure of the reader of it unwinds the command.
func (r *tarReading) toStdout(header *stdtar.Header) error {
	if header.Typeflag != stdtar.TypeReg && header.Typeflag != stdtar.TypeGNUSparse {
		return nil
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{r.c.Out}, struct{ io.Reader }{r.in}, r.buffer())
	return err
}

func (r *tarReading) buffer() []byte {
	if r.discard == nil {
		r.discard = make([]byte, 64<<10)
	}
	return r.discard
}

// show prints a member's line: its name, or with more verbosity all that ls shows.
func (j *tarJob) show(out io.Writer, header *stdtar.Header, verbose int) {
	name := archive.Quoted(header.Name)
	if verbose == 0 {
		fmt.Fprintln(out, name)
		return
	}
	owner, group := header.Uname, header.Gname
	if owner == "" || j.opts.Has("numeric-owner") {
		owner = fmt.Sprint(header.Uid)
	}
	if group == "" || j.opts.Has("numeric-owner") {
		group = fmt.Sprint(header.Gid)
	}
	size := fmt.Sprint(header.Size)
	if header.Typeflag == stdtar.TypeChar || header.Typeflag == stdtar.TypeBlock {
		size = fmt.Sprintf("%d,%d", header.Devmajor, header.Devminor)
	}
	who := archive.Quoted(owner) + "/" + archive.Quoted(group)
	switch header.Typeflag {
	case stdtar.TypeSymlink:
		name += " -> " + archive.Quoted(header.Linkname)
	case stdtar.TypeLink:
		name += " link to " + archive.Quoted(header.Linkname)
	}
	fmt.Fprintf(out, "%s %s %*s %s %s\n", tarMode(header), who, max(18-len(who), len(size)), size,
		header.ModTime.UTC().Format("2006-01-02 15:04"), name)
}

// tarMode is "drwxr-xr-x" with the letters tar has for types and special bits.
func tarMode(header *stdtar.Header) string {
	text := []byte(fileinfo.ModeText(0, uint32(header.Mode)&0o777))
	text[0] = '-'
	if letter, ok := map[byte]byte{
		stdtar.TypeDir: 'd', stdtar.TypeSymlink: 'l', stdtar.TypeLink: 'h', stdtar.TypeChar: 'c', stdtar.TypeBlock: 'b', stdtar.TypeFifo: 'p',
	}[header.Typeflag]; ok {
		text[0] = letter
	}
	for _, special := range []struct {
		bit    int64
		at     int
		letter byte
	}{{0o4000, 3, 's'}, {0o2000, 6, 's'}, {0o1000, 9, 't'}} {
		if header.Mode&special.bit == 0 {
			continue
		}
		if text[special.at] == '-' {
			special.letter -= 'a' - 'A'
		}
		text[special.at] = special.letter
	}
	return string(text)
}

// finish makes what waited for the end.
func (r *tarReading) finish() {
	if r.tree == nil {
		return
	}
	r.tree.Finish(func(link archive.Link) bool {
		info, err := os.Lstat(link.Path)
		if err == nil && !info.IsDir() && !r.opts.Has("k", "skip-old-files") && r.tree.Remove(link.Path) == nil {
			return true
		}
		if !r.opts.Has("skip-old-files") {
			r.fail("%s: Cannot create symlink to '%s': %s", archive.Quoted(link.Name), archive.Quoted(link.Target), kit.Reason(fs.ErrExist))
		}
		return false
	}, func(link archive.Link, err error) {
		if err != nil {
			r.fail("%s: Cannot create symlink to '%s': %s", archive.Quoted(link.Name), archive.Quoted(link.Target), kit.Reason(err))
		}
	})
}
