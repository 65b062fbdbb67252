package files

import (
	"bytes"
	"fmt"
	"os"
	"unicode/utf8"

	"capbox/toolbox/abi"
)

const (
	readLinesUsual = 2000
	readCharsMax   = 2000
	// countBytesMax bounds the work of saying how many lines remain: about a second on the slowest disk in use.
	countBytesMax = 2 << 30
)

type readArguments struct {
	Path   string `json:"path"`
	Offset int    `json:"offset"`
	Limit  int    `json:"limit"`
	Raw    bool   `json:"raw"`
}

type readData struct {
	Path    string `json:"path"`
	Lines   int    `json:"lines"`
	First   int    `json:"first"`
	Last    int    `json:"last"`
	Total   int    `json:"total"`
	AtLeast bool   `json:"at_least,omitempty"` // total is a lower bound: the file is too large to count
	Bytes   int64  `json:"bytes"`
	Binary  string `json:"binary,omitempty"`
	CRLF    bool   `json:"crlf,omitempty"`
	Format  string `json:"format,omitempty"` // of what is not shown as it is: utf-16, notebook, table, pdf, an image's
	Width   int    `json:"width,omitempty"`
	Height  int    `json:"height,omitempty"`
	Rows    int    `json:"rows,omitempty"`
	Pages   int    `json:"pages,omitempty"`
	Changed bool   `json:"changed,omitempty"` // by something else, while it was read
}

// Read shows a text file with line numbers, a page at a time.
func Read(req *abi.Request) abi.Result {
	var args readArguments
	if bad, ok := abi.Arguments(req, &args); !ok {
		return bad
	}
	p, bad, ok := locate(req, args.Path)
	if !ok {
		return bad
	}
	if args.Offset < 0 || args.Limit < 0 {
		return abi.Fail("invalid_arguments", "offset and limit count lines from 1: %d and %d are not allowed.", args.Offset, args.Limit)
	}
	info, err := os.Stat(p.path)
	switch {
	case err != nil:
		return failed(p, "read", err)
	case info.IsDir():
		return isDirectory(p)
	case !isRegular(info):
		return abi.Fail("not_a_file", "%s is a device, pipe or socket: only regular files are read.", p.shown)
	case p.directory:
		return abi.Fail("not_a_directory", "%s is a file: write it without the trailing slash.", p.shown)
	}
	file, err := os.Open(p.path)
	if err != nil {
		return failed(p, "read", err)
	}
	defer file.Close()
	v := &viewing{req: req, args: args, place: p, file: file, info: info, data: &readData{Path: p.shown, Bytes: info.Size()}}
	return v.view()
}

// page shows lines of a text; the notes are what is to be said of it.
func (v *viewing) page(lines *lineReader, notes ...string) abi.Result {
	data := v.data
	offset, limit := max(v.args.Offset, 1), v.args.Limit
	if limit == 0 {
		limit = readLinesUsual
	}
	p := newPage(v.req)
	data.First = offset
	skipped := lines.skip(offset - 1)
	data.Last = skipped
	for data.Lines < limit && !p.full && v.showLine(p, lines) {
	}
	if lines.failure != nil {
		return failed(place{shown: data.Path}, "read", lines.failure)
	}
	remaining, all := lines.count(countBytesMax)
	if p.full {
		remaining++ // the line that did not fit was taken from the text
	}
	data.Total, data.AtLeast = data.Last+remaining, !all
	if data.Lines == 0 && !p.full {
		data.First, data.Last = 0, 0
		return abi.OK(fmt.Sprintf("[offset %d is past the end: %s has %s]", offset, data.Path,
			counted(data.Total, "line", "lines")), data)
	}
	if remaining > 0 {
		p.note(remainder(p, data, remaining))
	}
	if v.strays > 0 {
		p.note(fmt.Sprintf("[not UTF-8: %s shown as U+FFFD; if it is Latin-1, bash shows it with `iconv -f latin1`]",
			counted(v.strays, "byte is", "bytes are")))
	}
	for _, note := range notes {
		p.note(note)
	}
	v.changed(p)
	res := abi.OK(p.String(), data)
	res.Truncated = p.full
	return res
}

func remainder(p *page, data *readData, remaining int) string {
	why, least := "", ""
	if p.full {
		why = "the output is full; "
	}
	if data.AtLeast {
		least = "at least "
	}
	return fmt.Sprintf("[%s%s%s of %s not shown; continue with offset %d]", why, least,
		counted(remaining, "more line", "more lines"), abi.Grouped(data.Total), data.Last+1)
}

// showLine adds one line to the page; false at the end of the text or of the page.
func (v *viewing) showLine(p *page, lines *lineReader) bool {
	data := v.data
	text, length, ok := lines.next(4*readCharsMax + 4)
	if !ok {
		return false
	}
	number := data.Last + 1
	if number == 1 {
		bare := bytes.TrimPrefix(text, []byte("\ufeff"))
		length -= len(text) - len(bare)
		text = bare
	}
	if length == len(text) && bytes.HasSuffix(text, []byte{'\r'}) {
		data.CRLF = true
		text = text[:len(text)-1]
		length--
	}
	shown, _ := clip(text, readCharsMax)
	if !fitting(p, numbered(number), shown, length, data.Lines == 0) {
		return false
	}
	data.Lines++
	data.Last = number
	v.strays += strays(shown)
	return true
}

// strays is how many bytes of a text are not UTF-8: each becomes a U+FFFD when the result is written.
func strays(text []byte) int {
	count := 0
	for at := 0; at < len(text); {
		if text[at] < utf8.RuneSelf {
			at++
			continue
		}
		char, width := utf8.DecodeRune(text[at:])
		if char == utf8.RuneError && width == 1 {
			count++
		}
		at += width
	}
	return count
}

// fitting adds a line, with a mark if it is cut. The first line of a page is cut to what fits, so that paging always
// moves on.
func fitting(p *page, prefix string, shown []byte, length int, first bool) bool {
	if first {
		for room := p.room - 128; abi.EscapedSize(shown) > room && len(shown) > 0; {
			shown = shown[:len(shown)/2]
		}
	}
	if len(shown) < length {
		shown = fmt.Appendf(nil, "%s [cut: the line has %s]", shown, counted(length, "byte", "bytes"))
	}
	return p.line(prefix, shown)
}
