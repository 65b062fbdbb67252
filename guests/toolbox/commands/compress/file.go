package compress

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"capbox/toolbox/commands/archive"
	"capbox/toolbox/commands/fileinfo"
)

// packHeader is what a gzip header says about the file that was compressed.
type packHeader struct {
	name string
	when time.Time
}

// listing is a line of gzip -l.
type listing struct {
	files            int
	packed, unpacked int64
}

// fromFile reads a file to the standard output, to nowhere (-t) or into the list (-l).
func (s *squeeze) fromFile(name string, info fs.FileInfo) {
	file, err := s.c.Open(name)
	if err != nil {
		s.fail(name, err)
		return
	}
	defer file.Close()
	switch {
	case s.opts.Has("l"):
		s.list(name, bufio.NewReaderSize(file, 64<<10), info)
	case s.decode:
		s.stream(name, file, s.c.Out)
	default:
		s.pack(name, file, s.c.Out, s.headerOf(name, info))
	}
}

func (s *squeeze) headerOf(name string, info fs.FileInfo) *packHeader {
	if s.opts.Last("n", "N") == "n" || info == nil {
		return nil
	}
	return &packHeader{filepath.Base(name), info.ModTime()}
}

// destination is the file that takes the place of this one; false if the name does not say.
func (s *squeeze) destination(name string) (string, bool) {
	if !s.decode {
		if strings.HasSuffix(name, s.suffix) {
			s.warn(s.words().suffixed, name, s.suffix)
			return "", false
		}
		return name + s.suffix, true
	}
	for _, one := range []struct{ from, to string }{
		{s.suffix, ""}, {s.codec.Suffix, ""}, {".tgz", ".tar"}, {".taz", ".tar"}, {"-gz", ""}, {".z", ""}, {".Z", ""}, {"-z", ""}, {"_z", ""},
		{".tbz2", ".tar"}, {".tbz", ".tar"}, {".bz", ""}, {".txz", ".tar"},
	} {
		if stem, ok := strings.CutSuffix(name, one.from); ok && filepath.Base(name) != one.from {
			return stem + one.to, true
		}
	}
	if s.codec == archive.Bzip2 {
		s.c.Fail(s.words().unknown, name)
		return name + ".out", true
	}
	s.warn(s.words().unknown, name)
	return "", false
}

// replace puts the compressed or decompressed file in the place of the original.
func (s *squeeze) replace(name string, info fs.FileInfo) {
	target, ok := s.destination(name)
	if !ok {
		return
	}
	in, err := os.Open(s.c.Path(name))
	if err != nil {
		s.fail(name, err)
		return
	}
	defer in.Close()
	source := bufio.NewReaderSize(in, 64<<10)
	when := info.ModTime()
	if s.decode && s.codec == archive.Gzip && s.opts.Last("n", "N") == "N" {
		stored, stamp := archive.GzipHeader(source)
		// Attack: a name in the header that leads elsewhere. Only its last part counts.
		if base := filepath.Base(stored); stored != "" && base != ".." && base != "." && base != "/" {
			target = filepath.Join(filepath.Dir(name), base)
		}
		if !stamp.IsZero() {
			when = stamp
		}
	}
	out, err := s.fresh(target)
	if errors.Is(err, fs.ErrExist) {
		s.warn(s.words().exists, target)
		if s.codec == archive.Xz {
			s.status = 1
		}
		return
	}
	if err != nil {
		s.fail(target, err)
		return
	}
	done, read, written := s.convert(name, source, out, info)
	if err := out.Close(); err != nil && done {
		s.fail(target, err)
		done = false
	}
	if !done {
		_ = os.Remove(s.c.Path(target))
		return
	}
	s.settle(name, target, when)
	s.tell(name, target, read, written)
}

// fresh makes the target anew; with -f what has the name goes first. It never writes through a link.
func (s *squeeze) fresh(target string) (*os.File, error) {
	path := s.c.Path(target)
	if s.opts.Has("f") {
		if info, err := os.Lstat(path); err == nil && !info.IsDir() {
			if err := os.Remove(path); err != nil {
				return nil, err
			}
		}
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

// convert gives whether all went well, and the sizes of original and result.
func (s *squeeze) convert(name string, in *bufio.Reader, out *os.File, info fs.FileInfo) (bool, int64, int64) {
	if s.decode {
		n, ok := s.unpack(name, in, out)
		return ok, info.Size(), n
	}
	sized := &archive.Counted{Writer: out}
	n := s.pack(name, in, sized, s.headerOf(name, info))
	return n >= 0, n, sized.N
}

// settle gives the result mode and time of the original, which then goes unless -k keeps it.
func (s *squeeze) settle(name, target string, when time.Time) {
	if err := os.Chtimes(s.c.Path(target), when, when); err != nil {
		s.fail(target, err)
	}
	if mode, _, err := fileinfo.Mode(s.c.Path(name)); err == nil && mode&0o777 != 0o644 {
		if err := fileinfo.SetMode(s.c.Path(target), mode&0o777); err != nil {
			s.fail(target, err)
		}
	}
	if s.opts.Has("k") {
		return
	}
	if err := os.Remove(s.c.Path(name)); err != nil {
		s.fail(name, err)
	}
}

func (s *squeeze) tell(name, target string, before, after int64) {
	if !s.opts.Has("v") {
		return
	}
	if s.decode {
		before, after = after, before
	}
	how := map[bool]string{true: "created", false: "replaced with"}[s.opts.Has("k")]
	fmt.Fprintf(s.c.Err(), "%s:\t%s -- %s %s\n", name, ratio(before, after), how, target)
}

// ratio is how much smaller something became, as gzip shows it.
func ratio(before, after int64) string {
	if before == 0 {
		return "  0.0%"
	}
	return fmt.Sprintf("%5.1f%%", 100*float64(before-after)/float64(before))
}

// list prints a line of gzip -l. It decompresses: the length that the file ends with is only that of its last member,
// and can say anything.
func (s *squeeze) list(name string, in *bufio.Reader, info fs.FileInfo) bool {
	packed := &archive.Passage{In: in}
	n, ok := s.unpack(name, bufio.NewReaderSize(packed, 64<<10), io.Discard)
	if !ok {
		return false
	}
	if s.totals.files == 0 && !s.opts.Has("q") {
		s.c.Out.Line("         compressed        uncompressed  ratio uncompressed_name")
	}
	size := packed.N
	if info != nil {
		size = info.Size()
	}
	shown := strings.TrimSuffix(name, s.suffix)
	s.c.Out.Printf("%19d %19d %s %s\n", size, n, ratio(n, size-18), shown)
	s.totals.files++
	s.totals.packed += size
	s.totals.unpacked += n
	return true
}

func (s *squeeze) listTotals() {
	if s.totals.files > 1 && !s.opts.Has("q") {
		s.c.Out.Printf("%19d %19d %s (totals)\n", s.totals.packed, s.totals.unpacked, ratio(s.totals.unpacked, s.totals.packed))
	}
}
