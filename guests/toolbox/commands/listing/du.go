package listing

import (
	"io/fs"
	"os"
	"strconv"

	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/pattern"
)

// duRun is one run of du.
type duRun struct {
	c        *kit.Call
	opts     *kit.Options
	maxDepth int
	block    int64
	status   int
}

// Du is the command du.
func Du(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "0abcd:hkmsSxLPDHB:lt:X:", Usage: "[OPTION]... [FILE]...",
		Long: "null=0 all=a bytes=b total=c max-depth=d human-readable=h summarize=s separate-dirs=S one-file-system=x apparent-size " +
			"exclude: si block-size=B dereference=L no-dereference=P count-links=l threshold=t exclude-from=X inodes time::",
	})
	if done {
		return status
	}
	if status, done := c.Refuse(opts, "B", "L", "t", "X", "inodes", "time"); done {
		return status
	}
	if opts.Has("s") && opts.Has("a") {
		return c.Usage(1, "cannot both summarize and show all entries")
	}
	r := &duRun{c: c, opts: opts, maxDepth: 1 << 30, block: 1024}
	if text, ok := opts.Value("d"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return c.Fail("invalid maximum depth '%s'", text)
		}
		r.maxDepth = n
	}
	if opts.Has("s") {
		r.maxDepth = 0
	}
	switch opts.Last("b", "k", "m") {
	case "b":
		r.block = 1
	case "m":
		r.block = 1 << 20
	}
	names := opts.Operands
	if len(names) == 0 {
		names = []string{"."}
	}
	total := int64(0)
	for _, name := range names {
		info, err := os.Lstat(c.Path(name))
		if err != nil {
			r.status = c.Fail("cannot access '%s': %s", name, kit.Reason(err))
			continue
		}
		total += r.visit(name, info, 0)
	}
	if opts.Has("c") {
		r.print(total, "total")
	}
	return r.status
}

func (r *duRun) size(info fs.FileInfo) int64 {
	if r.opts.Has("b", "apparent-size") {
		if info.IsDir() {
			return 4096
		}
		return info.Size()
	}
	if info.IsDir() {
		return 4096
	}
	return blocksOf(info) * 1024
}

func (r *duRun) visit(name string, info fs.FileInfo, depth int) int64 {
	total := r.size(info)
	if info.IsDir() {
		entries, err := os.ReadDir(r.c.Path(name))
		if err != nil {
			r.status = r.c.Fail("cannot read directory '%s': %s", name, kit.Reason(err))
		}
		var excluded []string
		for _, one := range r.opts.List {
			if one.Key == "exclude" {
				excluded = append(excluded, one.Value)
			}
		}
		for _, entry := range entries {
			if pattern.MatchAnyGlob(excluded, entry.Name()) {
				continue
			}
			below := r.visit(kit.JoinName(name, entry.Name()), fileinfo.Lazy{DirEntry: entry}, depth+1)
			if !r.opts.Has("S") || !entry.IsDir() {
				total += below
			}
		}
	}
	if depth <= r.maxDepth && (info.IsDir() || r.opts.Has("a") || depth == 0) {
		r.print(total, name)
	}
	return total
}

func (r *duRun) print(bytes int64, name string) {
	text := strconv.FormatInt((bytes+r.block-1)/r.block, 10)
	switch {
	case r.opts.Has("si"):
		text = humanSize(bytes, 1000)
	case r.opts.Has("h"):
		text = humanSize(bytes, 1024)
	}
	end := "\n"
	if r.opts.Has("0") {
		end = "\x00"
	}
	r.c.Out.WriteString(text + "\t" + name + end)
}
