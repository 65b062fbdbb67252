// Package compress holds the commands that squeeze single files: gzip, bzip2, xz and what undoes or prints them.
package compress

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"capbox/toolbox/commands/archive"
	"capbox/toolbox/commands/kit"
)

// squeezers are the commands that compress and decompress single files: the format, and what the name implies.
var squeezers = map[string]struct {
	codec  *archive.Codec
	decode bool
	stdout bool
}{
	"gzip": {codec: archive.Gzip}, "gunzip": {codec: archive.Gzip, decode: true}, "zcat": {archive.Gzip, true, true},
	"bzip2": {codec: archive.Bzip2}, "bunzip2": {codec: archive.Bzip2, decode: true}, "bzcat": {archive.Bzip2, true, true},
	"xz": {codec: archive.Xz}, "unxz": {codec: archive.Xz, decode: true}, "xzcat": {archive.Xz, true, true},
}

var squeezeSpecs = map[string]kit.Spec{
	"gzip": {
		Short: "cdfhklLnNqrS:tvV123456789", Usage: "[OPTION]... [FILE]...",
		Long: "stdout=c to-stdout=c decompress=d uncompress=d force=f keep=k list=l no-name=n name=N quiet=q recursive=r " +
			"suffix=S test=t verbose=v fast=1 best=9 license=L synchronous rsyncable",
	},
	"bzip2": {
		Short: "cdzfkqstvLVh123456789", Usage: "[OPTION]... [FILE]...",
		Long: "stdout=c decompress=d compress=z force=f keep=k quiet=q small=s test=t verbose=v fast=1 best=9",
	},
	"xz": {
		Short: "cdzfklqtvQeT:S:M:F:C:0123456789", Usage: "[OPTION]... [FILE]...",
		Long: "stdout=c to-stdout=c decompress=d uncompress=d compress=z force=f keep=k list=l quiet=q test=t verbose=v " +
			"no-warn=Q extreme=e threads=T suffix=S memlimit=M format=F check=C no-sparse robot",
	},
}

// squeeze is one run of gzip, bzip2, xz or one of their other names.
type squeeze struct {
	c      *kit.Call
	codec  *archive.Codec
	opts   *kit.Options
	decode bool
	stdout bool
	level  int
	suffix string
	status int
	totals listing
}

// Compress is the commands bunzip2, bzcat, bzip2, gunzip, gzip, unxz, xz, xzcat and zcat.
func Compress(c *kit.Call) int {
	kind := squeezers[c.Name]
	opts, status, done := c.Parse(squeezeSpecs[kind.codec.Name])
	if done {
		return status
	}
	if kind.codec == archive.Gzip {
		c.Name = "gzip" // gunzip and zcat are scripts around it elsewhere
	}
	for _, key := range []string{"F", "C", "robot", "L"} {
		if value, given := opts.Value(key); given && value != "xz" && value != "auto" && value != "crc64" {
			return c.Refused(key)
		}
	}
	if opts.Has("l") && kind.codec != archive.Gzip {
		return c.Refused("l")
	}
	s := &squeeze{
		c: c, codec: kind.codec, opts: opts, suffix: kind.codec.Suffix,
		decode: opts.Last("d", "z") == "d" || kind.decode && opts.Last("d", "z") != "z" || opts.Has("t", "l"),
		stdout: kind.stdout || opts.Has("c"),
	}
	if level := opts.Last("1", "2", "3", "4", "5", "6", "7", "8", "9", "0"); level != "" {
		s.level = max(int(level[0]-'0'), 1)
	}
	if text, given := opts.Value("S"); given {
		if text == "" || strings.Contains(text, "/") {
			return c.Fail("invalid suffix '%s'", text)
		}
		s.suffix = text
	}
	if len(opts.Operands) == 0 {
		opts.Operands = []string{"-"}
	}
	for _, name := range opts.Operands {
		if c.Context.Err() != nil {
			break
		}
		s.visit(name)
	}
	s.listTotals()
	return s.status
}

// warn reports what was passed over: the status is 2 unless something failed, but bzip2's is 1.
func (s *squeeze) warn(format string, args ...any) {
	if !s.opts.Has("q") {
		s.c.Fail(format, args...)
	}
	if s.status == 0 {
		s.status = 2
		if s.codec == archive.Bzip2 {
			s.status = 1
		}
	}
}

// fail reports a failure; broken data has the status 2 in bzip2.
func (s *squeeze) fail(name string, err error) {
	io.WriteString(s.c.Err(), Complain(s.codec, s.c.Name, name, err))
	s.status = 1
	if s.codec == archive.Bzip2 && isDamage(err) {
		s.status = 2
	}
}

// visit takes one operand: a file, a directory with -r, or the standard input.
func (s *squeeze) visit(name string) {
	if name == "-" {
		s.stream(StdinName(s.codec), s.c.Input(), s.c.Out)
		return
	}
	path := s.c.Path(name)
	info, err := os.Lstat(path)
	if err != nil && s.decode && !strings.HasSuffix(name, s.suffix) {
		if other, otherErr := os.Lstat(path + s.suffix); otherErr == nil {
			name, path, info, err = name+s.suffix, path+s.suffix, other, nil
		} else if s.codec == archive.Gzip {
			name += s.suffix
		}
	}
	if _, device := kit.DeviceInfo(path); device {
		s.fromFile(name, nil)
		return
	}
	inPlace := !s.stdout && !s.opts.Has("t", "l")
	if err == nil && info.Mode().Type() != 0 && !info.IsDir() && (!inPlace || s.opts.Has("f")) {
		info, err = os.Stat(path)
	}
	switch {
	case err != nil:
		s.fail(name, err)
	case info.IsDir() && s.opts.Has("r"):
		entries, err := os.ReadDir(path)
		if err != nil {
			s.fail(name, err)
		}
		for _, entry := range entries {
			if entry.Type().IsRegular() || entry.IsDir() {
				s.visit(kit.JoinName(name, entry.Name()))
			}
		}
	case info.IsDir():
		s.warn(s.words().directory, name)
	case !info.Mode().IsRegular():
		// Attack: a link in the place of a file, whose target would be replaced and removed.
		s.warn(s.words().link, name)
		if s.codec == archive.Gzip {
			s.status = 1
		}
	case inPlace:
		s.replace(name, info)
	default:
		s.fromFile(name, info)
	}
}

// stream compresses or decompresses from in to out and says whether all went well.
func (s *squeeze) stream(name string, in io.Reader, out io.Writer) bool {
	if !s.decode {
		return s.pack(name, in, out, nil) >= 0
	}
	source := bufio.NewReaderSize(in, 64<<10)
	if s.opts.Has("l") {
		return s.list(name, source, nil)
	}
	if s.opts.Has("t") {
		out = io.Discard
	}
	n, ok := s.unpack(name, source, out)
	if ok && s.opts.Has("t") && s.opts.Has("v") {
		fmt.Fprintf(s.c.Err(), "%s:\t OK\n", name)
	}
	return ok && n >= 0
}

// unpack decompresses; what is not compressed goes through as it is with -cdf.
func (s *squeeze) unpack(name string, in *bufio.Reader, out io.Writer) (int64, bool) {
	content, err := s.codec.Open(in)
	if errors.Is(err, archive.ErrFormat) && s.opts.Has("f") && s.stdout {
		content, err = in, nil
	}
	if errors.Is(err, io.ErrUnexpectedEOF) && s.opts.Has("f") {
		return 0, true
	}
	if err != nil {
		s.fail(name, err)
		return 0, false
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{content}, make([]byte, 64<<10))
	switch {
	case errors.Is(err, archive.ErrTrailing) && s.codec == archive.Gzip:
		s.warn("%s: decompression OK, trailing garbage ignored", name)
	case errors.Is(err, archive.ErrTrailing):
		s.c.Fail("%s: trailing garbage after EOF ignored", name)
	case err != nil:
		s.fail(name, err)
		return n, false
	}
	return n, true
}

// pack compresses and gives how many bytes came in, -1 after a failure that was told.
func (s *squeeze) pack(name string, in io.Reader, out io.Writer, header *packHeader) int64 {
	stream, err := s.codec.Create(out, s.level)
	if header != nil && s.codec == archive.Gzip {
		stream, err = archive.CreateGzip(out, s.level, header.name, header.when)
	}
	if err != nil {
		s.fail(name, err)
		return -1
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{stream}, struct{ io.Reader }{in}, make([]byte, 64<<10))
	if closeErr := stream.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		s.fail(name, err)
		return -1
	}
	return n
}
