package tar

import (
	stdtar "archive/tar"
	"bufio"
	"io"
	"os"
	"time"

	"capbox/toolbox/commands/archive"
	"capbox/toolbox/commands/kit"
)

// rememberedMax bounds how many members of an archive -u compares with.
const rememberedMax = 100_000

// appendTo adds members to the end of an archive (-r), or those that are newer than what it holds (-u).
func (j *tarJob) appendTo() int {
	switch {
	case j.file == "-":
		return j.c.Usage(2, "Options '-Aru' are incompatible with '-f -'")
	case j.codec != nil:
		return j.c.Usage(2, "Cannot update compressed archives")
	}
	w, status := j.writing()
	if status != 0 {
		return status
	}
	file, err := os.OpenFile(w.self, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return j.fatal("%s: Cannot open: %s", archive.Quoted(j.file), kit.Reason(err))
	}
	defer file.Close()
	if status := w.survey(file); status != 0 {
		return status
	}
	if _, err := file.Seek(w.start, io.SeekStart); err != nil {
		return j.fatal("%s: Cannot seek: %s", archive.Quoted(j.file), kit.Reason(err))
	}
	buffered := bufio.NewWriterSize(file, 64<<10)
	status = w.fill(buffered)
	if err := buffered.Flush(); err != nil && status == 0 {
		return j.fatal("%s: Cannot write: %s", archive.Quoted(j.file), kit.Reason(err))
	}
	return status
}

// survey finds where the last member of an archive ends, and for -u what it holds.
func (w *tarWriting) survey(file io.Reader) int {
	source := bufio.NewReaderSize(file, 64<<10)
	if codec := archive.Detect(source); codec != nil {
		return w.c.Usage(2, "Cannot update compressed archives")
	}
	w.have = map[string]time.Time{}
	passed := &archive.Passage{In: source}
	in := stdtar.NewReader(passed)
	for w.c.Context.Err() == nil {
		header, err := in.Next()
		if err == io.EOF {
			return 0
		}
		if err == nil {
			_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{in}, w.buffer)
		}
		if err != nil {
			if w.start == 0 {
				return w.fatal("This does not look like a tar archive")
			}
			return w.fatal("%s: the archive is damaged; nothing was added", archive.Quoted(w.file))
		}
		w.start = (passed.N + 511) / 512 * 512
		if w.mode == "u" && len(w.have) < rememberedMax {
			w.have[header.Name] = header.ModTime
		}
	}
	return 2
}
