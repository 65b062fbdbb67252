package files

import (
	"fmt"
	"os"
	"strings"

	"capbox/toolbox/abi"
	"capbox/toolbox/files/pdf"
)

// pdf shows the text of a PDF document, page by page, and what else is known of it; false for one that is too large or
// too broken.
func (v *viewing) pdf() (abi.Result, bool) {
	if v.info.Size() > pdf.FileBytesMax {
		return abi.Result{}, false
	}
	raw, err := os.ReadFile(v.place.path)
	if err != nil {
		return failed(v.place, "read", err), true
	}
	document, err := pdf.Open(raw)
	if err != nil {
		return abi.Result{}, false
	}
	v.data.Format, v.data.Pages, v.data.Binary = "pdf", len(document.Pages), ""
	about := "[a PDF document of " + counted(len(document.Pages), "page", "pages")
	if document.Version != "" {
		about += ", version " + visible(firstLine(document.Version))
	}
	if document.Title != "" {
		about += ", with the title \"" + visible(firstLine(document.Title)) + "\""
	}
	if document.Encrypted {
		return abi.OK(v.place.shown+": "+about+"; it is encrypted, so its text is not shown]", v.data), true
	}
	var text strings.Builder
	letters := 0
	all := document.Text(func(page int, content string) bool {
		content = strings.TrimSpace(content)
		letters += len(content)
		fmt.Fprintf(&text, "[page %d]\n", page)
		ended(&text, content)
		return true
	})
	if letters == 0 {
		return abi.OK(v.place.shown+": "+about+"; it holds no text: its pages may be pictures]", v.data), true
	}
	about += "; its text, without layout"
	if !all {
		about += "; the end is missing, as there is too much of it"
	}
	return v.page(newLineReader(strings.NewReader(text.String()), int64(text.Len())), about+"]"), true
}
