// Package filekind is the command file: what a file holds, told from its first bytes.
package filekind

import (
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"capbox/toolbox/commands/kit"
)

// kindBytesMax is how much of a file is looked at.
const kindBytesMax = 1 << 20

// fileJob is one run of file.
type fileJob struct {
	c         *kit.Call
	opts      *kit.Options
	mime      string // "" descriptions, "type", "encoding" or "both"
	separator string
	width     int
}

// File is the command file.
func File(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "bcCdEe:f:F:hiIkLm:nNpP:rsvzZ0", Usage: "[OPTION]... FILE...",
		Long: "brief=b exclude=e files-from=f separator=F no-dereference=h mime=i keep-going=k dereference=L magic-file=m no-buffer=n " +
			"no-pad=N preserve-date=p raw=r special-files=s uncompress=z print0=0 mime-type mime-encoding extension apple debug=d",
	})
	if done {
		return status
	}
	if key := opts.Last("c", "C", "k", "m", "z", "Z", "e", "extension", "apple"); key != "" {
		return c.Unsupported("option " + key)
	}
	j := &fileJob{c: c, opts: opts, separator: ":"}
	switch {
	case opts.Has("i", "I") || opts.Has("mime-type") && opts.Has("mime-encoding"):
		j.mime = "both"
	case opts.Has("mime-type"):
		j.mime = "type"
	case opts.Has("mime-encoding"):
		j.mime = "encoding"
	}
	if text, ok := opts.Value("F"); ok {
		j.separator = text
	}
	names := opts.Operands
	if list, ok := opts.Value("f"); ok {
		in, err := c.Open(list)
		if err != nil {
			return c.Fail("Cannot open `%s' (%s)", list, kit.Reason(err))
		}
		lines, err := kit.AllLines(in, '\n')
		in.Close()
		if err != nil {
			return c.FailPath(list, err)
		}
		names = append(lines, names...)
	}
	if len(names) == 0 {
		return c.Usage(1, "missing file operand")
	}
	for _, name := range names {
		j.width = max(j.width, utf8.RuneCountInString(name))
	}
	for _, name := range names {
		status |= j.show(name)
	}
	return status
}

func (j *fileJob) show(name string) int {
	kind, err := j.look(name)
	text := kind.text
	switch {
	case err != nil:
		text = "cannot open `" + name + "' (" + kit.Reason(err) + ")"
	case j.mime == "type":
		text = kind.mime
	case j.mime == "encoding":
		text = kind.charset
	case j.mime == "both":
		text = kind.mime + "; charset=" + kind.charset
	}
	out := j.c.Out
	if !j.opts.Has("b") {
		if name == "-" {
			name = "/dev/stdin"
		}
		out.WriteString(name)
		if j.opts.Has("0") {
			out.WriteByte(0)
		}
		pad := 0
		if !j.opts.Has("N", "0") {
			pad = max(0, j.width-utf8.RuneCountInString(name))
		}
		out.WriteString(j.separator + " " + strings.Repeat(" ", pad))
	}
	out.Line(text)
	if err != nil && j.opts.Has("E") {
		return 1
	}
	return 0
}

// fileKind is what a file is: a description, a media type and how its text is encoded.
type fileKind struct{ text, mime, charset string }

func (j *fileJob) look(name string) (fileKind, error) {
	if name != "-" {
		info, ok := kit.DeviceInfo(j.c.Path(name))
		var err error
		if !ok { // the host is asked only for what is not served in here
			info, err = os.Lstat(j.c.Path(name))
		}
		if err == nil && info.Mode()&fs.ModeSymlink != 0 && !j.opts.Has("L") {
			target, _ := os.Readlink(j.c.Path(name))
			text := "symbolic link to " + target
			if _, err := os.Stat(j.c.Path(name)); os.IsNotExist(err) {
				text = "broken " + text
			}
			return fileKind{text, "inode/symlink", "binary"}, nil
		}
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			info, err = os.Stat(j.c.Path(name))
		}
		switch {
		case err != nil:
			return fileKind{}, err
		case info.IsDir():
			return fileKind{"directory", "inode/directory", "binary"}, nil
		case info.Mode()&fs.ModeCharDevice != 0:
			return fileKind{"character special", "inode/chardevice", "binary"}, nil
		}
	}
	in, err := j.c.Open(name)
	if err != nil {
		return fileKind{}, err
	}
	defer in.Close()
	head, err := io.ReadAll(io.LimitReader(in, kindBytesMax))
	if err != nil {
		return fileKind{}, err
	}
	return kindOf(head), nil
}

// kindOf tells what the bytes are: a known format, a text, or data.
func kindOf(head []byte) fileKind {
	if len(head) == 0 {
		return fileKind{"empty", "inode/x-empty", "binary"}
	}
	if text, mime, ok := magicOf(head); ok {
		return fileKind{text, mime, "binary"}
	}
	encoding, ok := encodingOf(head)
	if !ok {
		return fileKind{"data", "application/octet-stream", "binary"}
	}
	return textKind(head, encoding)
}
