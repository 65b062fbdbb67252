package files

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"capbox/toolbox/abi"
	"capbox/toolbox/files/media"
)

// viewing is one file that is being read. What a model cannot use as it is gets described or rendered, unless the
// raw text was asked for.
type viewing struct {
	req   *abi.Request
	args  readArguments
	place place
	file  *os.File
	info  os.FileInfo
	data  *readData

	strays int // bytes shown that are not UTF-8
}

func (v *viewing) view() abi.Result {
	lines := newLineReader(v.file, v.info.Size())
	head := lines.peek()
	if lines.failure != nil {
		return failed(v.place, "read", lines.failure)
	}
	if len(head) == 0 {
		return abi.OK(fmt.Sprintf("[%s is empty: 0 bytes]", v.place.shown), v.data)
	}
	if order := utf16Order(head); order != nil && !v.args.Raw {
		v.data.Format = "utf-16"
		return v.again(func() abi.Result {
			return v.page(newLineReader(&utf16Reader{source: v.file, order: order}, v.info.Size()),
				"[the file is UTF-16 and shown as UTF-8; edit does not change it]")
		})
	}
	if v.data.Binary = binaryKind(head); v.data.Binary != "" {
		return v.binary()
	}
	if !v.args.Raw {
		if res, ok := v.rendered(head); ok {
			return res
		}
	}
	var notes []string
	if strings.EqualFold(path.Ext(v.place.path), ".svg") {
		if width, height, ok := media.SVG(head); ok && width+height != "" {
			v.data.Format = "SVG"
			notes = append(notes, fmt.Sprintf("[an SVG image, %s x %s]", visible(firstLine(width)), visible(firstLine(height))))
		}
	}
	return v.page(lines, notes...)
}

// again starts reading at the beginning once more.
func (v *viewing) again(show func() abi.Result) abi.Result {
	if _, err := v.file.Seek(0, io.SeekStart); err != nil {
		return failed(v.place, "read", err)
	}
	return show()
}

// binary says what a file is whose bytes are of no use to a model.
func (v *viewing) binary() abi.Result {
	if v.data.Binary == "PDF document" && !v.args.Raw {
		if res, ok := v.pdf(); ok {
			return res
		}
	}
	what := v.data.Binary
	if image, ok := media.Inspect(v.file); ok {
		v.data.Format, v.data.Width, v.data.Height = image.Format, image.Width, image.Height
		what = fmt.Sprintf("%s, %d x %d pixels", what, image.Width, image.Height)
		if image.Detail != "" {
			what += ", " + image.Detail
		}
	}
	return abi.OK(fmt.Sprintf("[%s is a binary file (%s, %s); its bytes are not shown]", v.place.shown, what,
		counted(v.data.Bytes, "byte", "bytes")), v.data)
}

// rendered shows notebooks and large tables otherwise than as they are written; false for everything else.
func (v *viewing) rendered(head []byte) (abi.Result, bool) {
	switch size := v.info.Size(); {
	case strings.EqualFold(path.Ext(v.place.path), ".ipynb") && size <= notebookBytesMax:
		raw, err := os.ReadFile(v.place.path)
		if err != nil {
			return failed(v.place, "read", err), true
		}
		text, cells, ok := renderNotebook(raw)
		if !ok {
			break
		}
		v.data.Format = "notebook"
		return v.page(newLineReader(strings.NewReader(text), int64(len(text))),
			fmt.Sprintf("[a notebook of %s, rendered; \"raw\": true shows its JSON, which is what edit changes]", counted(cells, "cell", "cells"))), true
	case isTable(v.place.path) && size >= tableBytesMin && v.args.Offset == 0 && v.args.Limit == 0:
		return v.table(separatorOf(v.place.path, head), bytes.Clone(head))
	}
	return abi.Result{}, false
}

// table sums a table up and shows its first lines.
func (v *viewing) table(separator rune, head []byte) (abi.Result, bool) {
	file, err := os.Open(v.place.path)
	if err != nil {
		return failed(v.place, "read", err), true
	}
	defer file.Close()
	t, ok := peekTable(file, separator)
	if !ok {
		return abi.Result{}, false
	}
	v.data.Format, v.data.Rows, v.data.AtLeast = "table", t.rows, t.atLeast
	out := newPage(v.req)
	for _, line := range t.describe(v.place.shown) {
		out.line("", []byte(line))
	}
	const charsMax = 300
	lines := newLineReader(bytes.NewReader(head), int64(len(head)))
	for v.data.Last <= tableRowsShown {
		text, length, ok := lines.next(4 * charsMax)
		if !ok {
			break
		}
		text = bytes.TrimSuffix(bytes.TrimPrefix(text, mark), []byte{'\r'})
		shown, cut := clip(text, charsMax)
		if cut > 0 || length > len(text)+len(mark)+1 {
			shown = fmt.Appendf(nil, "%s [cut]", shown)
		}
		if !out.line(numbered(v.data.Last+1), shown) {
			break
		}
		v.data.Last++
	}
	v.data.First, v.data.Lines = 1, v.data.Last
	out.note(fmt.Sprintf("[its first lines; offset %d and limit show more, \"raw\": true the text from the beginning]", v.data.Last+1))
	v.changed(out)
	return abi.OK(out.String(), v.data), true
}

// changed notes that something else wrote to the file while it was read: the page may mix two states.
func (v *viewing) changed(out *page) {
	now, err := v.file.Stat()
	if err != nil || now.Size() != v.info.Size() || !now.ModTime().Equal(v.info.ModTime()) {
		v.data.Changed = true
		out.note("[the file was changed by something else while it was read: what is shown may mix old and new]")
	}
}
