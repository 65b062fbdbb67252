package files

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"capbox/toolbox/abi"
	"capbox/toolbox/files/patch"
)

const (
	// patchedBytesMax bounds what all files of one patch hold together: each is kept twice, for going back.
	patchedBytesMax = 32 << 20
	patchedFilesMax = 1000
)

type patchArguments struct {
	Patch string `json:"patch"`
}

type patchedFile struct {
	Path    string `json:"path"`
	From    string `json:"from,omitempty"`
	Action  string `json:"action"` // created, modified, deleted, renamed, copied
	Added   int    `json:"added"`
	Removed int    `json:"removed"`
}

type patchData struct {
	Files []patchedFile `json:"files"`
}

// ApplyPatch applies a unified diff to any number of files. Everything is checked, and every new content written
// beside its file, before the first file changes; a failure after that is taken back.
func ApplyPatch(req *abi.Request) abi.Result {
	var args patchArguments
	if bad, ok := abi.Arguments(req, &args); !ok {
		return bad
	}
	sections, err := patch.Parse(args.Patch)
	if err != nil {
		return abi.Fail("invalid_patch", "%s. Nothing was changed.", err)
	}
	if len(sections) > patchedFilesMax {
		return abi.Fail("too_large", "the patch concerns %s files; at most %s are taken at once. Nothing was changed.",
			abi.Grouped(len(sections)), abi.Grouped(patchedFilesMax))
	}
	plan := &patchPlan{req: req, taken: make(map[string]*plannedFile)}
	for _, section := range sections {
		if bad, ok := plan.add(section); !ok {
			bad.Error.Message += " Nothing was changed."
			return bad
		}
	}
	if len(plan.misfits) > 0 {
		return plan.refused()
	}
	if bad, ok := plan.carryOut(); !ok {
		return bad
	}
	return plan.answer()
}

// refused shows the hunks that do not fit.
func (p *patchPlan) refused() abi.Result {
	const shown = 4
	text := strings.Join(p.misfits[:min(shown, len(p.misfits))], "\n")
	if more := len(p.misfits) - shown; more > 0 {
		text += "\n" + counted(more, "further hunk does", "further hunks do") + " not apply either."
	}
	return abi.Fail("no_match", "%s\nNothing was changed.", strings.TrimRight(text, "\n"))
}

func (p *patchPlan) answer() abi.Result {
	out := newPage(p.req)
	data := &patchData{Files: []patchedFile{}}
	for i, one := range p.files {
		if !out.take(90+abi.EscapedSize([]byte(one.shown()))) || !out.line("", []byte(one.summary())) {
			out.note("[" + counted(len(p.files)-i, "more file was", "more files were") + " patched and not listed]")
			break
		}
		for _, note := range one.notes {
			out.line("  ", []byte(note))
		}
		data.Files = append(data.Files, one.data())
	}
	res := abi.OK(out.String(), data)
	res.Truncated = out.full
	return res
}

func (f *plannedFile) data() patchedFile {
	out := patchedFile{Path: f.target.shown, Action: f.action, Added: f.added, Removed: f.removed}
	if f.action == renamed || f.action == copied {
		out.From = f.source.shown
	}
	return out
}

func (f *plannedFile) shown() string { return f.source.shown + f.target.shown }

func (f *plannedFile) summary() string {
	text := f.action + " " + f.target.shown
	switch f.action {
	case created:
		return text + ": " + counted(f.added, "line", "lines")
	case deleted:
		return text
	case renamed, copied:
		text = f.action + " " + f.source.shown + " to " + f.target.shown
		if f.added+f.removed == 0 {
			return text
		}
	}
	return fmt.Sprintf("%s%s: +%d -%d", text, f.linked, f.added, f.removed)
}

// unpatchable says why a name cannot be patched as the section wants.
func unpatchable(p place, why string) abi.Result {
	return abi.Fail("invalid_patch", "%s: %s.", p.shown, why)
}

// bare refuses links, directories and devices where a name itself is removed or renamed.
func bare(p place) (os.FileInfo, abi.Result, bool) {
	info, err := os.Lstat(p.path)
	switch {
	case err != nil:
		return nil, failed(p, "write", err), false
	case info.IsDir():
		return nil, isDirectory(p), false
	case !isRegular(info):
		return nil, unpatchable(p, "not supported: it is a link, device, pipe or socket, and only regular files are renamed or deleted"), false
	}
	return info, abi.Result{}, true
}

// free refuses a name that is taken.
func free(p place) (abi.Result, bool) {
	_, err := os.Lstat(p.path)
	switch {
	case err == nil:
		return abi.Fail("exists", "%s exists already, and the patch would create it.", p.shown), false
	case errors.Is(err, os.ErrNotExist):
		return abi.Result{}, true
	}
	return failed(p, "write", err), false
}
