package sed

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"capbox/toolbox/commands/kit"
)

// inPlace edits each file: the result goes to a temporary sibling that then replaces it. A file that could not be
// read to its end stays as it is.
func (r *sedRun) inPlace(names []string, suffix string) int {
	for _, name := range names {
		if r.quit {
			break
		}
		path := r.c.Path(name)
		info, err := os.Stat(path)
		if err == nil && !info.Mode().IsRegular() {
			r.c.Fail("couldn't edit %s: not a regular file", name)
			r.status = 4
			continue
		}
		if err != nil {
			r.c.Fail("can't read %s: %s", name, kit.Reason(err))
			r.status = 2
			continue
		}
		var text bytes.Buffer
		r.out = kit.NewOutput(&text)
		r.broken, r.missing = false, false
		r.anew()
		r.over([]string{name})
		r.out.Flush()
		if r.broken {
			continue
		}
		if err := keep(path, suffix); err != nil {
			return r.c.Fail("cannot rename %s: %s", name, kit.Reason(err))
		}
		if err := replaceFile(path, text.Bytes()); err != nil {
			r.c.Fail("couldn't edit %s: %s", name, kit.Reason(err))
			r.status = 4
		}
	}
	return r.status
}

// keep copies a file to the name that a suffix of -i makes for it; without a suffix nothing is kept.
func keep(path, suffix string) error {
	if suffix == "" {
		return nil
	}
	backup := path + suffix
	if strings.Contains(suffix, "*") {
		backup = filepath.Join(filepath.Dir(path), strings.ReplaceAll(suffix, "*", filepath.Base(path)))
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(backup, old, 0o644)
}

// replaceFile puts new content in place of a file by rename, so that it is whole at every moment. The host copies
// mode and attributes. Where no sibling can be made the file is written in place.
func replaceFile(path string, content []byte) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	beside := filepath.Join(filepath.Dir(path), ".capbox-"+kit.RandomText(6)+"-"+filepath.Base(path)+".tmp")
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return os.WriteFile(path, content, 0o644)
	}
	_, err = file.Write(content)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		_ = os.Remove(beside)
	}
	return err
}
