package commands

import (
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"capbox/toolbox/commands/pattern"
)

// primaries are find's tests with one argument; nil for an argument that makes no sense.
var primaries = map[string]func(p *findParser, value string) test{
	"-name":  func(_ *findParser, glob string) test { return nameTest(glob, globMatch) },
	"-iname": func(_ *findParser, glob string) test { return nameTest(glob, globMatchFold) },
	"-path":  func(_ *findParser, glob string) test { return pathTest(glob, globMatch) },
	"-wholename": func(_ *findParser, glob string) test {
		return pathTest(glob, globMatch)
	},
	"-ipath":  func(_ *findParser, glob string) test { return pathTest(glob, globMatchFold) },
	"-regex":  func(_ *findParser, text string) test { return regexTest(text, false) },
	"-iregex": func(_ *findParser, text string) test { return regexTest(text, true) },
	"-type":   typeTest,
	"-size":   sizeTest,
	"-mtime":  func(_ *findParser, v string) test { return ageTest(v, 24*time.Hour) },
	"-mmin":   func(_ *findParser, v string) test { return ageTest(v, time.Minute) },
	"-ctime":  func(_ *findParser, v string) test { return ageTest(v, 24*time.Hour) },
	"-atime":  func(_ *findParser, v string) test { return ageTest(v, 24*time.Hour) },
	"-newer":  newerTest,
	"-newermt": func(p *findParser, v string) test {
		when, ok := parseDate(v, time.Now())
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
	"-user":  func(*findParser, string) test { return func(*found) bool { return true } },
	"-group": func(*findParser, string) test { return func(*found) bool { return true } },
	"-links": func(_ *findParser, v string) test {
		compare := numberTest(v)
		if compare == nil {
			return nil
		}
		return func(f *found) bool { _, links, err := modeOf(f.real); return err == nil && compare(int64(links)) }
	},
}

func nameTest(glob string, match func(glob, text string) bool) test {
	return func(f *found) bool { return match(glob, path.Base(f.path)) }
}

func pathTest(glob string, match func(glob, text string) bool) test {
	return func(f *found) bool { return match(glob, f.path) }
}

func regexTest(text string, fold bool) test {
	dialect := pattern.Basic
	if strings.ContainsAny(text, "(|{") && !strings.Contains(text, `\(`) && !strings.Contains(text, `\|`) {
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
		mode, ok := changeMode(0, digits, false)
		if !ok {
			return nil
		}
		wanted = mode
	}
	return func(f *found) bool {
		mode, _, err := modeOf(f.real)
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
		return err == nil && globMatch(glob, target)
	}
}
