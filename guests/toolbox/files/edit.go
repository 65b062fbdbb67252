package files

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"capbox/toolbox/abi"
)

// editBytesMax leaves room for the text, its successor and Go's collector within 256 MB.
const editBytesMax = 32 << 20

type change struct {
	Old *string `json:"old"`
	New *string `json:"new"`
	All bool    `json:"all"`
}

type editArguments struct {
	Path  string   `json:"path"`
	Edits []change `json:"edits"`
	change
}

type editData struct {
	Path         string `json:"path"`
	Replacements int    `json:"replacements"`
	FirstLine    int    `json:"first_line"`
	Bytes        int    `json:"bytes"`
}

// Edit replaces exact text; a list of edits applies in order, all or none.
func Edit(req *abi.Request) abi.Result {
	var args editArguments
	if bad, ok := abi.Arguments(req, &args); !ok {
		return bad
	}
	p, bad, ok := locate(req, args.Path)
	if !ok {
		return bad
	}
	changes, bad, ok := changesOf(args)
	if !ok {
		return bad
	}
	target, info, bad, ok := editable(p)
	if !ok {
		return bad
	}
	whole, bad, ok := wholeText(p, target)
	if !ok {
		return bad
	}
	doc := newDocument(whole)
	for i, one := range changes {
		if refusal := doc.apply(p, one); refusal != nil {
			return refusal.result(i, len(changes))
		}
	}
	if now, err := os.Lstat(target); err != nil || now.Size() != info.Size() || !now.ModTime().Equal(info.ModTime()) {
		return abi.Fail("changed", "%s was changed by something else meanwhile; nothing was edited: read it again.", p.shown)
	}
	if err := replace(target, doc.bytes()); err != nil {
		return failed(p, "write", err)
	}
	return edited(req, p, doc, linked(req, p, target, info))
}

// changesOf checks the arguments before any file is touched.
func changesOf(args editArguments) ([]change, abi.Result, bool) {
	bad := func(format string, values ...any) ([]change, abi.Result, bool) {
		return nil, abi.Fail("invalid_arguments", format, values...), false
	}
	changes := args.Edits
	single := args.Old != nil || args.New != nil
	switch {
	case single && changes != nil:
		return bad("give either old and new, or edits, not both.")
	case single:
		changes = []change{args.change}
	case len(changes) == 0:
		return bad("nothing to do: give old and new, or a list of edits.")
	}
	for i, one := range changes {
		where := ""
		if len(changes) > 1 {
			where = fmt.Sprintf("edit %d of %d: ", i+1, len(changes))
		}
		switch {
		case one.Old == nil || one.New == nil:
			return bad("%sold and new are both needed (new may be \"\", to delete).", where)
		case *one.Old == "":
			return bad("%sold is empty and would match everywhere: to create or replace a whole file use write; to insert, "+
				"give the line beside the place as old and repeat it in new.", where)
		case *one.Old == *one.New:
			return bad("%sold and new are the same: nothing would change.", where)
		}
	}
	return changes, abi.Result{}, true
}

// editable finds the file to change and refuses what cannot be edited.
func editable(p place) (string, os.FileInfo, abi.Result, bool) {
	target, info, bad, ok := destination(p)
	if !ok {
		return "", nil, bad, false
	}
	if info == nil {
		res := missing(p)
		res.Error.Message += " To create it use write."
		return "", nil, res, false
	}
	if info.Size() > editBytesMax {
		return "", nil, abi.Fail("too_large", "%s has %s bytes; edit takes up to %s: change it with bash and sed.",
			p.shown, abi.Grouped(info.Size()), abi.Grouped(int64(editBytesMax))), false
	}
	return target, info, bad, true
}

// edited is the answer: what was done, and the changed lines with three of their neighbours.
func edited(req *abi.Request, p place, doc *document, note string) abi.Result {
	out := newPage(req)
	out.line("", fmt.Appendf(nil, "edited %s%s: %s", p.shown, note, counted(doc.replacements, "replacement", "replacements")))
	doc.snippet(out)
	first := 1 + bytes.Count(doc.text[:doc.spans[0].start], lf) // the snippet has sorted them
	data := &editData{Path: p.shown, Replacements: doc.replacements, FirstLine: first, Bytes: len(doc.bytes())}
	return abi.OK(out.String(), data)
}

// refusal is why one edit does not apply.
type refusal struct{ code, message string }

func (r *refusal) result(index, of int) abi.Result {
	if of == 1 {
		return abi.Fail(r.code, "%s", r.message)
	}
	return abi.Fail(r.code, "edit %d of %d: %s None of the edits was applied.", index+1, of, strings.TrimSpace(r.message))
}
