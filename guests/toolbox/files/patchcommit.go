package files

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"capbox/toolbox/abi"
)

// carryOut writes the plan: every new content beside its file first, so that what is refused or does not fit on the
// disk shows before anything has changed. Then the names change, and a failure among those is taken back.
func (p *patchPlan) carryOut() (abi.Result, bool) {
	var folders []string
	undo := func() []string {
		var left []string
		for _, one := range slices.Backward(p.files) {
			if one.temporary != "" {
				_ = os.Remove(one.temporary)
			}
			if one.done && one.takeBack() != nil {
				left = append(left, one.target.shown)
			}
		}
		for _, folder := range slices.Backward(folders) {
			_ = os.Remove(folder)
		}
		return left
	}
	for _, one := range p.files {
		if !one.unchanged() {
			undo()
			return abi.Fail("changed", "%s was changed by something else meanwhile. Nothing was changed: read it again.", one.source.shown), false
		}
		if one.action == deleted || one.action == renamed && one.added+one.removed == 0 {
			continue
		}
		made, err := makeParents(one.path)
		folders = append(folders, made...)
		if err == nil {
			one.temporary, err = stage(one.path, one.text.Bytes())
		}
		if err != nil {
			undo()
			return unwritten(one, err, nil), false
		}
	}
	// Removals come last: they are the hardest to take back as they were.
	order := slices.Clone(p.files)
	slices.SortStableFunc(order, func(a, b *plannedFile) int { return rank(a) - rank(b) })
	for _, one := range order {
		made, err := one.carryOut()
		folders = append(folders, made...)
		if err != nil {
			return unwritten(one, err, undo()), false
		}
	}
	return abi.Result{}, true
}

func rank(f *plannedFile) int {
	if f.action == deleted {
		return 1
	}
	return 0
}

func unwritten(f *plannedFile, err error, left []string) abi.Result {
	res := failed(f.target, "write", err)
	if len(left) == 0 {
		res.Error.Message += " Nothing was changed."
	} else {
		res.Error.Message += " What was already written could not all be taken back; changed: " + strings.Join(left, ", ") + "."
	}
	return res
}

// unchanged says whether the source is still what was read.
func (f *plannedFile) unchanged() bool {
	if f.info == nil {
		return true
	}
	from := f.source.path
	if f.action == modified {
		from = f.path
	}
	now, err := os.Lstat(from)
	return err == nil && now.Size() == f.info.Size() && now.ModTime().Equal(f.info.ModTime())
}

// carryOut does to the names what the plan says of one file.
func (f *plannedFile) carryOut() (folders []string, err error) {
	switch f.action {
	case deleted:
		err = os.Remove(f.source.path)
	case renamed:
		if folders, err = makeParents(f.path); err == nil {
			err = os.Rename(f.source.path, f.path) // the file itself moves, and keeps its mode
		}
	}
	if err != nil {
		return folders, err
	}
	f.done = f.action == deleted || f.action == renamed
	if f.temporary == "" {
		return folders, nil
	}
	staged := f.temporary
	f.temporary = ""
	if err = commit(staged, f.path); err == nil {
		f.done = true
	}
	return folders, err
}

// takeBack restores what carryOut did.
func (f *plannedFile) takeBack() error {
	switch f.action {
	case created, copied:
		return os.Remove(f.path)
	case renamed:
		if err := os.Rename(f.path, f.source.path); err != nil {
			return err
		}
		return replace(f.source.path, f.before)
	case deleted:
		return replace(f.source.path, f.before)
	}
	return replace(f.path, f.before)
}

// makeParents makes the directories that a file needs and says which were missing, the outermost first.
func makeParents(file string) ([]string, error) {
	var missing []string
	for at := path.Dir(file); at != "/"; at = path.Dir(at) {
		if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		missing = append(missing, at)
	}
	if len(missing) == 0 {
		return nil, nil
	}
	slices.Reverse(missing)
	return missing, os.MkdirAll(path.Dir(file), 0o777)
}
