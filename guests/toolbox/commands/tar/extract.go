package tar

import (
	stdtar "archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"capbox/toolbox/commands/archive"
	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// extract makes one member. An error is one of the archive; problems with the file are reported and passed over.
func (r *tarReading) extract(header *stdtar.Header, name string) error {
	shown := archive.Quoted(name)
	switch header.Typeflag {
	case stdtar.TypeReg, stdtar.TypeGNUSparse, stdtar.TypeCont, '\x00':
		return r.extractFile(header, name)
	case stdtar.TypeDir:
		if err := r.tree.Directory(name, r.attributes(header, name), true); err != nil {
			r.fail("%s: Cannot mkdir: %s", shown, kit.Reason(err))
		}
	case stdtar.TypeSymlink:
		if err := r.tree.Link(name, header.Linkname); err != nil {
			r.fail("%s: Cannot create symlink to '%s': %s", shown, archive.Quoted(header.Linkname), kit.Reason(err))
		}
	case stdtar.TypeLink:
		r.extractHardLink(header, name)
	case stdtar.TypeChar, stdtar.TypeBlock:
		// As for an ordinary user: a device file would be a door to the machine.
		r.fail("%s: Cannot mknod: Operation not permitted", shown)
	case stdtar.TypeFifo:
		r.fail("%s: Cannot mkfifo: Operation not permitted", shown)
	default:
		r.fail("%s: Unknown file type '%c'; not extracted", shown, printable(header.Typeflag))
	}
	return nil
}

func printable(b byte) byte {
	if b < ' ' || b > '~' {
		return '?'
	}
	return b
}

// attributes are the mode and time that the member gets here.
func (r *tarReading) attributes(header *stdtar.Header, name string) archive.Attributes {
	wanted := archive.Attributes{Mode: uint32(header.Mode) & 0o777}
	if header.Mode&0o6000 != 0 && header.Typeflag != stdtar.TypeDir {
		// Attack: a program that a person starts later with the rights of its owner.
		r.tell("%s: setuid and setgid are not restored", name)
	}
	if !r.opts.Has("p") {
		wanted.Mode &^= archive.Umask
	}
	if !r.opts.Has("m") {
		wanted.When = header.ModTime
	}
	return wanted
}

// fresh makes an empty file of that name where the options let it; nil without an error means to pass it over.
func (r *tarReading) fresh(name string, when time.Time) (*os.File, error) {
	file, err := r.tree.File(name)
	if !errors.Is(err, fs.ErrExist) {
		return file, err
	}
	path, _ := r.tree.Path(name)
	switch {
	case r.opts.Has("skip-old-files"):
		return nil, nil
	case r.opts.Has("keep-newer-files"):
		if info, statErr := os.Lstat(path); statErr == nil && !info.ModTime().Before(when) {
			r.c.Fail("Current '%s' is newer or same age", archive.Quoted(name))
			return nil, nil
		}
	case r.opts.Has("k"):
		return nil, fs.ErrExist
	}
	if r.tree.Remove(path) != nil {
		return nil, fs.ErrExist
	}
	return r.tree.File(name)
}

func (r *tarReading) extractFile(header *stdtar.Header, name string) error {
	shown := archive.Quoted(name)
	file, err := r.fresh(name, header.ModTime)
	if err != nil {
		r.fail("%s: Cannot open: %s", shown, kit.Reason(err))
	}
	if file == nil {
		return nil
	}
	source := &archive.Noted{In: r.in}
	_, err = io.CopyBuffer(struct{ io.Writer }{file}, source, r.buffer())
	if sealErr := r.tree.Seal(file, r.attributes(header, name)); err == nil && sealErr != nil {
		r.fail("%s: Cannot change mode or time: %s", shown, kit.Reason(sealErr))
	}
	if err != nil && source.Err == nil {
		r.fail("%s: Cannot write: %s", shown, kit.Reason(err))
		return nil
	}
	return source.Err
}

// extractHardLink copies the file that the member is another name of: a file with two names could not be judged by its
// name, so hard links are never made here.
func (r *tarReading) extractHardLink(header *stdtar.Header, name string) {
	shown, target := archive.Quoted(name), header.Linkname
	if r.strip > 0 {
		target, _ = archive.Shortened(target, r.strip)
	}
	if !r.opts.Has("P") {
		var cut string
		if target, cut = archive.Below(target); cut != "" {
			r.tell("Removing leading `%s' from hard link targets", cut)
		}
	}
	failed := func(err error) {
		r.fail("%s: Cannot hard link to '%s': %s", shown, archive.Quoted(target), kit.Reason(err))
	}
	from, _ := r.tree.Path(target)
	if to, err := r.tree.Path(name); err == nil && from == to {
		return
	}
	original, info, err := r.tree.Original(target)
	if err != nil {
		failed(err)
		return
	}
	defer original.Close()
	file, err := r.fresh(name, info.ModTime())
	if err != nil {
		failed(err)
	}
	if file == nil {
		return
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{file}, struct{ io.Reader }{original}, r.buffer())
	mode, _, modeErr := fileinfo.Mode(from)
	if modeErr != nil {
		mode = 0o644
	}
	if sealErr := r.tree.Seal(file, archive.Attributes{Mode: mode, When: info.ModTime()}); err == nil {
		err = sealErr
	}
	if err != nil {
		failed(err)
		return
	}
	r.tell("Hard links are extracted as copies", "")
}
