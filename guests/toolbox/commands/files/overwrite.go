package files

import (
	"io/fs"
	"os"

	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// kindToRemove names a file as the questions of rm do.
func kindToRemove(info fs.FileInfo) string {
	if info.Mode().IsRegular() && info.Size() == 0 {
		return "regular empty file"
	}
	return fileinfo.KindName(info)
}

// backup is what cp and mv do with a file that they are about to replace: -b, --backup, -S.
type backup struct {
	on     bool
	suffix string
}

// parseBackup reads the options; problem is a kind of backup that is not served.
func parseBackup(c *kit.Call, opts *kit.Options) (b backup, problem string) {
	b = backup{on: opts.Has("b", "backup", "S"), suffix: "~"}
	if text := c.Env()["SIMPLE_BACKUP_SUFFIX"]; text != "" {
		b.suffix = text
	}
	if text, ok := opts.Value("S"); ok {
		b.suffix = text
	}
	kind, _ := opts.Value("backup")
	if kind == "" {
		kind = c.Env()["VERSION_CONTROL"]
	}
	switch kind {
	case "none", "off":
		b.on = false
	case "", "simple", "never", "existing", "nil":
	default:
		return b, "--backup=" + kind
	}
	return b, ""
}

// keep moves an existing file aside; its new name, or "" if there was none.
func (b backup) keep(path string) (string, error) {
	info, err := os.Lstat(path)
	if !b.on || err != nil || info.IsDir() {
		return "", nil //nolint:nilerr // what is not there needs no backup
	}
	return path + b.suffix, os.Rename(path, path+b.suffix)
}
