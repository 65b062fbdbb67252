package files

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"capbox/toolbox/abi"
	"capbox/toolbox/files/patch"
)

const (
	created  = "created"
	modified = "modified"
	deleted  = "deleted"
	renamed  = "renamed"
	copied   = "copied"
)

// plannedFile is what happens to one file.
type plannedFile struct {
	action         string
	source, target place
	path           string      // what is written: the target, or where a link leads
	linked         string      // said when that differs
	before         []byte      // the source's content
	info           os.FileInfo // of the source when it was read; nil when the file is new
	text           *patch.Text
	added, removed int
	notes          []string

	temporary string // the staged content
	done      bool
}

// patchPlan is a patch that is being checked. Nothing is written while files are added.
type patchPlan struct {
	req     *abi.Request
	files   []*plannedFile
	taken   map[string]*plannedFile // by every path that a section names
	misfits []string
	bytes   int
}

// add checks one section against its file. Hunks that do not fit are collected, so that all are shown at once.
func (p *patchPlan) add(section *patch.Section) (abi.Result, bool) {
	file, bad, ok := p.names(section)
	if !ok {
		return bad, false
	}
	if earlier := p.taken[file.target.path]; earlier != nil && earlier.action == modified && file.action == modified {
		earlier.text.Reset()
		p.hunks(section, earlier)
		return abi.Result{}, true
	}
	for _, one := range []place{file.source, file.target} {
		if p.taken[one.path] != nil {
			return unpatchable(one, "the patch names it in several sections that do not go together"), false
		}
	}
	if bad, ok := file.writable(); !ok {
		return bad, false
	}
	if bad, ok := p.read(file); !ok {
		return bad, false
	}
	if p.bytes += len(file.before); p.bytes > patchedBytesMax {
		return abi.Fail("too_large", "the files of the patch have more than %s bytes together: patch fewer at once.",
			abi.Grouped(patchedBytesMax)), false
	}
	p.taken[file.source.path], p.taken[file.target.path] = file, file
	p.files = append(p.files, file)
	p.hunks(section, file)
	if left := len(file.text.Bytes()); file.action == deleted && left > 0 && len(p.misfits) == 0 {
		return unpatchable(file.source, fmt.Sprintf("the patch deletes it, but %s would be left: the hunk must remove every line",
			counted(left, "byte", "bytes"))), false
	}
	if section.Mode == "100755" {
		file.notes = append(file.notes, "[its mode 100755 was not set: use bash `chmod +x`]")
	}
	return abi.Result{}, true
}

// names resolves what the section calls its files.
func (p *patchPlan) names(section *patch.Section) (*plannedFile, abi.Result, bool) {
	file := &plannedFile{action: modified}
	old, now := section.Old, section.New
	switch {
	case section.Create:
		file.action, old = created, now
	case section.Delete:
		file.action, now = deleted, old
	case section.Rename:
		file.action = renamed
	case section.Copy:
		file.action = copied
	}
	var bad abi.Result
	var ok bool
	if file.source, bad, ok = locate(p.req, old); !ok {
		return nil, bad, false
	}
	if file.target, bad, ok = locate(p.req, now); !ok {
		return nil, bad, false
	}
	if file.action == modified && file.source.path != file.target.path {
		// `diff -u file.orig file`: the new name is meant, unless only the old one is there.
		if _, err := os.Lstat(file.target.path); err != nil {
			file.target = file.source
		}
		file.source = file.target
	}
	return file, bad, true
}

// writable says whether the run may write what the section changes. It is asked before anything is read, so that the
// refusal names the right that the patch needs and not the one to read. To open a file as a directory does nothing to
// it, whatever it is.
func (f *plannedFile) writable() (bad abi.Result, ok bool) {
	for _, one := range []place{f.source, f.target} {
		if one == f.source && f.action == copied {
			continue
		}
		file, err := os.OpenFile(one.path+"/", os.O_WRONLY, 0)
		if err == nil {
			_ = file.Close()
		} else if abi.Refused(err) {
			return failed(one, "write", err), false
		}
	}
	return bad, true
}

// read takes the source's content, and checks that the names are as the section wants them.
func (p *patchPlan) read(file *plannedFile) (bad abi.Result, ok bool) {
	file.path = file.target.path
	switch file.action {
	case created:
		file.text = patch.NewText(nil)
		return free(file.target)
	case modified:
		var target string
		if target, file.info, bad, ok = editable(file.target); !ok {
			return bad, false
		}
		file.path, file.linked = target, linked(p.req, file.target, target, file.info)
		file.before, bad, ok = wholeText(file.target, target)
	default:
		if file.info, bad, ok = bare(file.source); !ok {
			return bad, false
		}
		if file.action != deleted {
			if bad, ok = free(file.target); !ok {
				return bad, false
			}
		}
		if file.info.Size() > editBytesMax {
			return unpatchable(file.source, "it is too large"), false
		}
		var err error
		if file.before, err = os.ReadFile(file.source.path); err != nil {
			return failed(file.source, "read", err), false
		}
	}
	file.text = patch.NewText(file.before)
	return bad, ok
}

// wholeText reads a file that must be text.
func wholeText(p place, target string) ([]byte, abi.Result, bool) {
	whole, err := os.ReadFile(target)
	if err != nil {
		return nil, failed(p, "read", err), false
	}
	kind := binaryKind(whole)
	if kind == "" && bytes.IndexByte(whole, 0) >= 0 {
		kind = "it holds NUL bytes"
	}
	if kind != "" {
		return nil, abi.Fail("not_text", "%s is not a text file (%s).", p.shown, kind), false
	}
	return whole, abi.Result{}, true
}

// hunks applies a section to the text in memory, up to the first hunk that does not fit.
func (p *patchPlan) hunks(section *patch.Section, file *plannedFile) {
	added, removed := section.Changed()
	file.added += added
	file.removed += removed
	for i := range section.Hunks {
		hunk := &section.Hunks[i]
		placed, misfit := file.text.Apply(hunk)
		if misfit != nil {
			p.misfits = append(p.misfits, misfitting(file, hunk, misfit, i+1, len(section.Hunks)))
			return
		}
		name := fmt.Sprintf("hunk %d of %d", i+1, len(section.Hunks))
		if placed.Offset != 0 {
			file.notes = append(file.notes, fmt.Sprintf("[%s was found at line %d, %s from where its header says]", name, placed.Line,
				counted(max(placed.Offset, -placed.Offset), "line", "lines")))
		}
		if hunk.Recounted {
			file.notes = append(file.notes, fmt.Sprintf("[the line counts in the header of %s were wrong; its lines counted]", name))
		}
	}
}

// misfitting shows a hunk that does not apply, and what comes nearest.
func misfitting(file *plannedFile, hunk *patch.Hunk, misfit *patch.Misfit, number, of int) string {
	header, _, _ := strings.Cut(hunk.Header, " @@")
	text := fmt.Sprintf("%s: hunk %d of %d (%s @@) does not apply: %s", file.source.shown, number, of, header, misfit.Message)
	if len(misfit.Lines) > 0 {
		return text + " (lines " + strings.Trim(fmt.Sprint(misfit.Lines), "[]") + ")."
	}
	if olds := hunk.Olds(); len(olds) > 0 {
		return text + ". " + strings.TrimRight(newDocument(file.before).hint(strings.Join(olds, "\n")), "\n")
	}
	return text + "."
}
