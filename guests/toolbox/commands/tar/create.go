package tar

import (
	stdtar "archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"capbox/toolbox/commands/archive"
	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// recordBytes is what an archive's length is a multiple of: 20 blocks, as GNU tar writes them.
const recordBytes = 20 * 512

// tarWriting is one archive that members are added to.
type tarWriting struct {
	*tarJob
	out    *stdtar.Writer
	count  *archive.Counted
	start  int64                // where in the archive members are added
	self   string               // the archive's own path
	when   time.Time            // --mtime
	modes  string               // --mode
	have   map[string]time.Time // what the archive holds, for -u
	owner  tarOwner
	group  tarOwner
	format stdtar.Format
	buffer []byte
}

type tarOwner struct {
	name string
	id   int
}

func (j *tarJob) create() int {
	if len(j.operands) == 0 && !j.opts.Has("T") {
		return j.c.Usage(2, "Cowardly refusing to create an empty archive")
	}
	w, status := j.writing()
	if status != 0 {
		return status
	}
	if status := j.checkPlaces(); status != 0 {
		return status
	}
	out, finish, err := j.output()
	if err != nil {
		return j.fatal("%s: Cannot open: %s", archive.Quoted(j.file), kit.Reason(err))
	}
	status = w.fill(out)
	if err := finish(); err != nil && status == 0 {
		status = j.fatal("%s: Cannot write: %s", archive.Quoted(j.file), kit.Reason(err))
	}
	return status
}

// writing reads the options of making archives.
func (j *tarJob) writing() (*tarWriting, int) {
	w := &tarWriting{tarJob: j, buffer: make([]byte, 64<<10), format: stdtar.FormatGNU, owner: tarOwner{"user", 1000}, group: tarOwner{"user", 1000}}
	if j.file != "-" {
		w.self = j.c.Path(j.file)
	}
	w.modes, _ = j.opts.Value("mode")
	if _, ok := fileinfo.ChangeMode(0, w.modes, false); w.modes != "" && !ok {
		return nil, j.c.Usage(2, "Invalid mode given on option")
	}
	var ok bool
	if w.when, ok = j.when(); !ok {
		return nil, j.c.Usage(2, "Invalid date given on option")
	}
	for _, one := range []struct {
		key  string
		into *tarOwner
	}{{"owner", &w.owner}, {"group", &w.group}} {
		if text, given := j.opts.Value(one.key); given {
			name, id, _ := strings.Cut(text, ":")
			if n, err := strconv.Atoi(name); err == nil && id == "" {
				*one.into = tarOwner{"", n}
				continue
			}
			n, _ := strconv.Atoi(id)
			*one.into = tarOwner{name, n}
		}
	}
	switch format, _ := j.opts.Value("format"); format {
	case "", "gnu", "oldgnu":
	case "ustar":
		w.format = stdtar.FormatUSTAR
	case "pax", "posix":
		w.format = stdtar.FormatPAX
	default:
		j.c.Fail("not supported: --format=%s", archive.Quoted(format))
		return nil, 2
	}
	return w, 0
}

// checkPlaces looks at the directories of -C before the archive is made.
func (j *tarJob) checkPlaces() int {
	for _, one := range j.opts.List {
		if one.Key != "C" {
			continue
		}
		known := func(operand tarOperand) bool { return strings.HasSuffix(operand.dir, strings.Trim(one.Value, "/.")) }
		if at := slices.IndexFunc(j.operands, known); at >= 0 {
			if _, err := os.Stat(j.operands[at].dir); err != nil {
				return j.fatal("%s: Cannot open: %s", archive.Quoted(one.Value), kit.Reason(err))
			}
		}
	}
	return 0
}

// fill writes all members and the archive's end.
func (w *tarWriting) fill(out io.Writer) int {
	w.count = &archive.Counted{Writer: out, N: w.start}
	w.out = stdtar.NewWriter(w.count)
	for _, operand := range w.operands {
		if err := w.add(operand.dir, operand.name, true); err != nil {
			return w.fatal("%s: Cannot write: %s", archive.Quoted(w.file), kit.Reason(err))
		}
	}
	if err := w.out.Close(); err != nil {
		return w.fatal("%s: Cannot write: %s", archive.Quoted(w.file), kit.Reason(err))
	}
	if rest := w.count.N % recordBytes; rest != 0 {
		if _, err := w.count.Write(make([]byte, recordBytes-rest)); err != nil {
			return w.fatal("%s: Cannot write: %s", archive.Quoted(w.file), kit.Reason(err))
		}
	}
	return 0
}

// add writes a file, or a directory with all below it. An error is one of the archive, and ends it.
func (w *tarWriting) add(dir, name string, top bool) error {
	if w.c.Context.Err() != nil || !top && w.excluded(name) || top && w.excluded(strings.TrimRight(name, "/")) {
		return nil
	}
	shown, path := archive.Quoted(name), kit.Absolute(dir, name)
	info, err := os.Lstat(path)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 && (w.opts.Has("h") || strings.HasSuffix(name, "/")) {
		info, err = os.Stat(path)
	}
	if err != nil {
		w.fail("%s: Cannot stat: %s", shown, kit.Reason(err))
		return nil
	}
	if path == w.self {
		w.c.Fail("%s: file is the archive; not dumped", shown)
		return nil
	}
	header, ok := w.header(path, name, info)
	if !ok {
		return nil
	}
	if !info.IsDir() {
		return w.addFile(path, header)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		w.fail("%s: Cannot open: %s", shown, kit.Reason(err))
		return nil
	}
	if !w.has(header) {
		if _, err := w.put(header); err != nil {
			return err
		}
	}
	if w.opts.Has("no-recursion") {
		return nil
	}
	for _, entry := range entries {
		if err := w.add(dir, kit.JoinName(name, entry.Name()), false); err != nil {
			return err
		}
	}
	return nil
}

// header describes a file; false if it is nothing an archive can hold.
func (w *tarWriting) header(path, name string, info fs.FileInfo) (*stdtar.Header, bool) {
	header := &stdtar.Header{
		Name: name, ModTime: info.ModTime().Truncate(time.Second), Format: w.format,
		Uname: w.owner.name, Uid: w.owner.id, Gname: w.group.name, Gid: w.group.id,
	}
	if w.opts.Has("numeric-owner") {
		header.Uname, header.Gname = "", ""
	}
	mode, _, err := fileinfo.Mode(path)
	if err != nil {
		mode = 0o644
	}
	switch {
	case info.IsDir():
		header.Typeflag, header.Name = stdtar.TypeDir, strings.TrimRight(name, "/")+"/"
	case info.Mode()&fs.ModeSymlink != 0:
		header.Typeflag, mode = stdtar.TypeSymlink, 0o777
		if header.Linkname, err = os.Readlink(path); err != nil {
			w.fail("%s: Cannot readlink: %s", archive.Quoted(name), kit.Reason(err))
			return nil, false
		}
	case info.Mode().IsRegular():
		header.Typeflag, header.Size = stdtar.TypeReg, info.Size()
	default:
		w.c.Fail("%s: socket ignored", archive.Quoted(name))
		return nil, false
	}
	if w.modes != "" && info.Mode()&fs.ModeSymlink == 0 {
		mode, _ = fileinfo.ChangeMode(mode&0o777, w.modes, info.IsDir())
	}
	header.Mode = int64(mode & 0o777)
	if !w.when.IsZero() {
		header.ModTime = w.when.Truncate(time.Second)
	}
	if !w.opts.Has("P") {
		rest, cut := archive.Below(header.Name)
		if cut != "" && rest != "." {
			w.tell("Removing leading `%s' from member names", cut)
		}
		if header.Name = rest; rest == "." {
			header.Name = "./"
		}
	}
	return header, true
}

// has says whether -u finds the member in the archive already, no older than the file.
func (w *tarWriting) has(header *stdtar.Header) bool {
	when, found := w.have[header.Name]
	return found && !header.ModTime.After(when)
}

// put writes a header. A name that the format cannot hold is a problem of the member alone: it is left out.
func (w *tarWriting) put(header *stdtar.Header) (bool, error) {
	err := w.out.WriteHeader(header)
	if errors.Is(err, stdtar.ErrFieldTooLong) || err != nil && strings.Contains(err.Error(), "cannot encode header") {
		w.fail("%s: the name or a number does not fit the format; not dumped", archive.Quoted(header.Name))
		return false, nil
	}
	if err == nil && w.verbose > 0 {
		out := io.Writer(w.c.Out)
		if w.file == "-" {
			out = w.c.Err()
		}
		w.show(out, header, w.verbose-1)
	}
	return err == nil, err
}

func (w *tarWriting) addFile(path string, header *stdtar.Header) error {
	if w.has(header) {
		return nil
	}
	var file *os.File
	if header.Typeflag == stdtar.TypeReg {
		var err error
		if file, err = os.Open(path); err != nil {
			w.fail("%s: Cannot open: %s", archive.Quoted(header.Name), kit.Reason(err))
			return nil
		}
		defer file.Close()
	}
	if written, err := w.put(header); !written || file == nil {
		return err
	}
	source := &archive.Noted{In: io.LimitReader(file, header.Size)}
	n, err := io.CopyBuffer(struct{ io.Writer }{w.out}, source, w.buffer)
	if source.Err != nil {
		w.fail("%s: Read error at byte %d: %s", archive.Quoted(header.Name), n, kit.Reason(source.Err))
	} else if err != nil {
		return err
	}
	if missing := header.Size - n; missing > 0 {
		if source.Err == nil {
			w.c.Fail("%s: File shrank by %d bytes; padding with zeros", archive.Quoted(header.Name), missing)
			w.status = max(w.status, 1)
		}
		_, err = io.CopyN(w.out, kit.Zeros{}, missing)
		return err
	}
	return nil
}
