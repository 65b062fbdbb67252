package search

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"capbox/toolbox/commands/calendar"
	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// batch collects paths for one -exec ... {} +.
type batch struct {
	s     *finder
	args  []string
	paths []string
	bytes int
}

func (b *batch) add(path string) {
	b.paths = append(b.paths, path)
	if b.bytes += len(path) + 1; b.bytes > kit.BatchBytesMax {
		b.flush()
	}
}

func (b *batch) flush() {
	if len(b.paths) == 0 {
		return
	}
	if b.s.c.Run(append(append([]string{}, b.args...), b.paths...), kit.Change{}) != 0 {
		b.s.status = 1
	}
	b.paths, b.bytes = nil, 0
}

// action serves the primaries that do something, and -empty and the like that take no argument.
func (p *findParser) action(name string) (test, bool) {
	s := p.finder
	switch name {
	case "-print":
		s.acts = true
		return func(f *found) bool { s.c.Out.Line(f.path); return true }, true
	case "-print0":
		s.acts = true
		return func(f *found) bool { s.c.Out.WriteString(f.path + "\x00"); return true }, true
	case "-printf":
		s.acts = true
		format := p.take()
		return func(f *found) bool { s.c.Out.WriteString(s.format(format, f)); return true }, true
	case "-ls":
		s.acts = true
		return func(f *found) bool {
			s.c.Out.WriteString(s.format(`%i %k %M %n %u %g %s %Tb %Td %TH:%TM %p\n`, f))
			return true
		}, true
	case "-fprint", "-fprint0", "-fprintf":
		s.acts = true
		return p.toFile(name), true
	case "-prune":
		return func(*found) bool { s.prune = true; return true }, true
	case "-quit":
		s.acts = true
		return func(*found) bool { s.quit = true; return true }, true
	case "-delete":
		s.acts, s.depthFirst = true, true
		return s.delete, true
	case "-empty":
		return s.empty, true
	case "-executable":
		return func(f *found) bool { return f.info.IsDir() || fileinfo.Executable(f.real) }, true
	case "-readable", "-writable":
		return func(*found) bool { return true }, true
	case "-exec", "-execdir", "-ok", "-okdir":
		s.acts = true
		run := p.exec(strings.HasSuffix(name, "dir"))
		if strings.HasPrefix(name, "-ok") && run != nil {
			return func(f *found) bool { return s.c.Ask("< run ... %s > ? ", f.path) && run(f) }, true
		}
		return run, true
	}
	return nil, false
}

// toFile serves -fprint, -fprint0 and -fprintf. The file is made even if nothing is printed.
func (p *findParser) toFile(name string) test {
	s := p.finder
	if len(p.args) == 0 || name == "-fprintf" && len(p.args) < 2 {
		p.problem = "missing argument to '" + name + "'"
		return nil
	}
	place := p.take()
	if s.files == nil {
		s.files, s.closers = map[string]*kit.Output{}, map[string]io.Closer{}
	}
	out := s.files[place]
	if out == nil {
		file, err := s.c.Create(place)
		if err != nil {
			p.problem = "'" + place + "': " + kit.Reason(err)
			return nil
		}
		out = kit.NewOutput(file)
		s.files[place], s.closers[place] = out, file
	}
	switch name {
	case "-fprintf":
		format := p.take()
		return func(f *found) bool { out.WriteString(s.format(format, f)); return true }
	case "-fprint0":
		return func(f *found) bool { out.WriteString(f.path + "\x00"); return true }
	}
	return func(f *found) bool { out.Line(f.path); return true }
}

func (s *finder) delete(f *found) bool {
	if f.path == "." {
		return true
	}
	if err := os.Remove(f.real); err != nil {
		s.status = 1
		s.c.Fail("cannot delete '%s': %s", f.path, kit.Reason(err))
		return false
	}
	return true
}

func (s *finder) empty(f *found) bool {
	switch {
	case f.info.IsDir():
		entries, err := os.ReadDir(f.real)
		return err == nil && len(entries) == 0
	case f.info.Mode().IsRegular():
		return f.info.Size() == 0
	}
	return false
}

func (p *findParser) exec(inDir bool) test {
	var args []string
	for {
		if len(p.args) == 0 {
			p.problem = "missing argument to '-exec'"
			return nil
		}
		word := p.take()
		if word == ";" {
			break
		}
		if word == "+" && len(args) > 0 && args[len(args)-1] == "{}" {
			one := &batch{s: p.finder, args: args[:len(args)-1]}
			p.batches = append(p.batches, one)
			return func(f *found) bool { one.add(f.path); return true }
		}
		args = append(args, word)
	}
	if len(args) == 0 {
		p.problem = "missing argument to '-exec'"
		return nil
	}
	s := p.finder
	return func(f *found) bool {
		change, shown := kit.Change{}, f.path
		if inDir {
			change.Dir, shown = filepath.Dir(f.real), "./"+filepath.Base(f.real)
		}
		command := make([]string, len(args))
		for i, arg := range args {
			command[i] = strings.ReplaceAll(arg, "{}", shown)
		}
		return s.c.Run(command, change) == 0
	}
}

// format is -printf.
func (s *finder) format(format string, f *found) string {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		switch {
		case format[i] == '\\' && i+1 < len(format):
			i++
			if at := strings.IndexByte(`nt\0abfrv`, format[i]); at >= 0 {
				out.WriteByte("\n\t\\\x00\a\b\f\r\v"[at])
			} else {
				out.WriteString(format[i-1 : i+1])
			}
		case format[i] == '%' && i+1 < len(format):
			start := i + 1
			for i = start; i < len(format)-1 && strings.IndexByte("-0123456789", format[i]) >= 0; i++ {
			}
			letter, flags := format[i], format[start:i]
			extra := byte(0)
			if (letter == 'T' || letter == 'A' || letter == 'C') && i+1 < len(format) {
				i++
				extra = format[i]
			}
			fmt.Fprintf(&out, "%"+flags+"s", s.field(letter, extra, f))
		default:
			out.WriteByte(format[i])
		}
	}
	return out.String()
}

// field is one directive of -printf.
func (s *finder) field(letter, extra byte, f *found) string {
	switch letter {
	case '%':
		return "%"
	case 'p':
		return f.path
	case 'f':
		return path.Base(f.path)
	case 'h':
		if dir, _, ok := kit.CutLast(f.path, "/"); ok {
			return dir
		}
		return "."
	case 'P':
		return strings.TrimPrefix(strings.TrimPrefix(f.path, f.root), "/")
	case 'H':
		return f.root
	case 'd':
		return strconv.Itoa(f.depth)
	case 's':
		return strconv.FormatInt(f.info.Size(), 10)
	case 'k':
		return strconv.FormatInt((f.info.Size()+1023)/1024, 10)
	case 'b':
		return strconv.FormatInt((f.info.Size()+511)/512, 10)
	case 'y', 'Y':
		return fileinfo.TypeLetter(f.info.Mode())
	case 'l':
		target, _ := os.Readlink(f.real)
		return target
	case 'm', 'M', 'n':
		return s.modeField(letter, f)
	case 'u', 'g':
		return "user"
	case 'U', 'G':
		return "1000"
	case 'i':
		if info, err := os.Lstat(f.real); err == nil {
			return strconv.FormatUint(fileinfo.Inode(info), 10)
		}
		return "0"
	case 't', 'T', 'A', 'C', 'a', 'c':
		when := modTime(f)
		switch extra {
		case 0:
			return when.Format("Mon Jan _2 15:04:05.0000000000 2006")
		case '@':
			return fmt.Sprintf("%d.%09d0", when.Unix(), when.Nanosecond())
		case '+':
			return when.Format("2006-01-02+15:04:05.0000000000")
		}
		return calendar.Format("%"+string([]byte{extra}), when)
	}
	return "%" + string([]byte{letter})
}

func (s *finder) modeField(letter byte, f *found) string {
	mode, links, err := fileinfo.Mode(f.real)
	if err != nil {
		mode, links = 0o644, 1
	}
	switch letter {
	case 'm':
		return strconv.FormatUint(uint64(mode&0o7777), 8)
	case 'n':
		return strconv.FormatUint(uint64(links), 10)
	}
	return fileinfo.ModeText(f.info.Mode(), mode)
}
