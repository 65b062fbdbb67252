package search

import (
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"capbox/toolbox/commands/calendar"
	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/pattern"
)

// primaries are find's tests with one argument; nil for an argument that makes no sense.
var primaries = map[string]func(p *findParser, value string) test{
	"-name":  func(_ *findParser, glob string) test { return nameTest(glob, pattern.MatchGlob) },
	"-iname": func(_ *findParser, glob string) test { return nameTest(glob, pattern.MatchGlobFold) },
	"-path":  func(_ *findParser, glob string) test { return pathTest(glob, pattern.MatchGlob) },
	"-wholename": func(_ *findParser, glob string) test {
		return pathTest(glob, pattern.MatchGlob)
	},
	"-ipath":  func(_ *findParser, glob string) test { return pathTest(glob, pattern.MatchGlobFold) },
	"-regex":  func(p *findParser, text string) test { return p.regexTest(text, false) },
	"-iregex": func(p *findParser, text string) test { return p.regexTest(text, true) },
	"-xtype":  xtypeTest,
	"-uid":    func(_ *findParser, v string) test { return ownerTest(v) },
	"-gid":    func(_ *findParser, v string) test { return ownerTest(v) },
	"-inum": func(_ *findParser, v string) test {
		compare := numberTest(v)
		if compare == nil {
			return nil
		}
		return func(f *found) bool {
			info, err := os.Lstat(f.real)
			return err == nil && compare(int64(fileinfo.Inode(info)))
		}
	},
	"-anewer":     newerTest,
	"-cnewer":     newerTest,
	"-iwholename": func(_ *findParser, glob string) test { return pathTest(glob, pattern.MatchGlobFold) },
	"-ilname": func(_ *findParser, glob string) test {
		return func(f *found) bool {
			target, err := os.Readlink(f.real)
			return err == nil && pattern.MatchGlobFold(glob, target)
		}
	},
	"-amin":  func(_ *findParser, v string) test { return ageTest(v, time.Minute) },
	"-cmin":  func(_ *findParser, v string) test { return ageTest(v, time.Minute) },
	"-type":  typeTest,
	"-size":  sizeTest,
	"-mtime": func(_ *findParser, v string) test { return ageTest(v, 24*time.Hour) },
	"-mmin":  func(_ *findParser, v string) test { return ageTest(v, time.Minute) },
	"-ctime": func(_ *findParser, v string) test { return ageTest(v, 24*time.Hour) },
	"-atime": func(_ *findParser, v string) test { return ageTest(v, 24*time.Hour) },
	"-newer": newerTest,
	"-newermt": func(p *findParser, v string) test {
		when, ok := calendar.Parse(v, time.Now())
		if !ok {
			return nil
		}
		return func(f *found) bool { return modTime(f).After(when) }
	},
	"-perm":  permTest,
	"-lname": lnameTest,
	"-samefile": func(p *findParser, v string) test {
		info, err := os.Stat(p.c.Path(v))
		if err != nil {
			return nil
		}
		return func(f *found) bool { other, err := os.Lstat(f.real); return err == nil && os.SameFile(info, other) }
	},
	"-user":  userTest,
	"-group": userTest,
	"-links": func(_ *findParser, v string) test {
		compare := numberTest(v)
		if compare == nil {
			return nil
		}
		return func(f *found) bool {
			_, links, err := fileinfo.Mode(f.real)
			return err == nil && compare(int64(links))
		}
	},
}

func nameTest(glob string, match func(glob, text string) bool) test {
	return func(f *found) bool { return match(glob, path.Base(f.path)) }
}

func pathTest(glob string, match func(glob, text string) bool) test {
	return func(f *found) bool { return match(glob, f.path) }
}

// userTest knows the one user there is, by name or number.
func userTest(_ *findParser, name string) test {
	if name != "user" && name != "1000" {
		return nil
	}
	return func(*found) bool { return true }
}

func ownerTest(value string) test {
	compare := numberTest(value)
	if compare == nil {
		return nil
	}
	return func(*found) bool { return compare(1000) }
}

// xtypeTest is -type of what a link leads to; one that leads nowhere is a link.
func xtypeTest(p *findParser, value string) test {
	inner := typeTest(p, value)
	if inner == nil {
		return nil
	}
	return func(f *found) bool {
		other := *f
		if info, err := os.Lstat(f.real); err == nil {
			other.info = info
		}
		if info, err := os.Stat(f.real); err == nil {
			other.info = info
		}
		return inner(&other)
	}
}

func (p *findParser) regexTest(text string, fold bool) test {
	dialect := pattern.Basic
	if p.extended {
		dialect = pattern.Extended
	} else if !p.basic && strings.ContainsAny(text, "(|{") && !strings.Contains(text, `\(`) && !strings.Contains(text, `\|`) {
		dialect = pattern.Extended // what people mean, with or without -regextype
	}
	compiled, err := pattern.Compile(text, dialect, pattern.Options{IgnoreCase: fold})
	if err != nil {
		return nil
	}
	return func(f *found) bool {
		m := compiled.Find([]byte(f.path))
		return m != nil && m[0] == 0 && m[1] == len(f.path)
	}
}

func typeTest(_ *findParser, value string) test {
	kinds := map[string]fs.FileMode{
		"d": fs.ModeDir, "l": fs.ModeSymlink, "p": fs.ModeNamedPipe, "s": fs.ModeSocket, "b": fs.ModeDevice,
		"c": fs.ModeDevice | fs.ModeCharDevice, "f": 0,
	}
	var wanted []fs.FileMode
	for _, letter := range strings.Split(value, ",") {
		kind, ok := kinds[letter]
		if !ok {
			return nil
		}
		wanted = append(wanted, kind)
	}
	return func(f *found) bool {
		for _, kind := range wanted {
			if f.info.Mode().Type() == kind {
				return true
			}
		}
		return false
	}
}

// numberTest reads +n (more), -n (less) or n.
func numberTest(value string) func(int64) bool {
	sign, digits := byte(0), value
	if value != "" && (value[0] == '+' || value[0] == '-') {
		sign, digits = value[0], value[1:]
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return nil
	}
	switch sign {
	case '+':
		return func(x int64) bool { return x > n }
	case '-':
		return func(x int64) bool { return x < n }
	}
	return func(x int64) bool { return x == n }
}

func sizeTest(_ *findParser, value string) test {
	unit := int64(512)
	if value != "" {
		if at := strings.IndexByte("cwbkMG", value[len(value)-1]); at >= 0 {
			unit = []int64{1, 2, 512, 1 << 10, 1 << 20, 1 << 30}[at]
			value = value[:len(value)-1]
		}
	}
	compare := numberTest(value)
	if compare == nil {
		return nil
	}
	return func(f *found) bool { return compare((f.info.Size() + unit - 1) / unit) }
}

func modTime(f *found) time.Time { return f.info.ModTime() }

func ageTest(value string, unit time.Duration) test {
	compare := numberTest(value)
	if compare == nil {
		return nil
	}
	now := time.Now()
	return func(f *found) bool { return compare(int64(now.Sub(modTime(f)) / unit)) }
}

func newerTest(p *findParser, value string) test {
	info, err := p.c.Stat(value)
	if err != nil {
		return nil
	}
	return func(f *found) bool { return modTime(f).After(info.ModTime()) }
}

func permTest(_ *findParser, value string) test {
	sign, digits := byte(0), value
	if value != "" && strings.IndexByte("-/+", value[0]) >= 0 {
		sign, digits = value[0], value[1:]
	}
	wanted64, err := strconv.ParseUint(digits, 8, 32)
	wanted := uint32(wanted64)
	if err != nil {
		mode, ok := fileinfo.ChangeMode(0, digits, false)
		if !ok {
			return nil
		}
		wanted = mode
	}
	return func(f *found) bool {
		mode, _, err := fileinfo.Mode(f.real)
		mode &= 0o7777
		switch {
		case err != nil:
			return false
		case sign == '-':
			return mode&wanted == wanted
		case sign == '/', sign == '+':
			return wanted == 0 || mode&wanted != 0
		}
		return mode == wanted
	}
}

func lnameTest(_ *findParser, glob string) test {
	return func(f *found) bool {
		target, err := os.Readlink(f.real)
		return err == nil && pattern.MatchGlob(glob, target)
	}
}
