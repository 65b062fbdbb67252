// Package patch is the command patch: it applies diffs to files, in the styles of package compare and of Git.
package patch

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
)

// patcher is one run of patch.
type patcher struct {
	c       *kit.Call
	opts    *kit.Options
	strip   int // -1 is the base name
	fuzz    int
	reverse bool
	dry     bool
	quiet   bool
	target  string // the operand, or ""
	ignored []string
	output  strings.Builder
	status  int
}

// Patch is the command patch.
func Patch(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "bcd:D:eEfF:g:i:lnNo:p:r:RsT:tuvV:x:B:Y:z:Z", Usage: "[OPTION]... [ORIGFILE [PATCHFILE]]", Status: 2,
		Long: "backup=b context=c directory=d ed=e remove-empty-files=E force=f fuzz=F input=i ignore-whitespace=l normal=n " +
			"forward=N output=o strip=p reject-file=r reverse=R quiet=s silent=s batch=t unified=u dry-run verbose suffix=z " +
			"no-backup-if-mismatch backup-if-mismatch binary merge:: posix ifdef=D set-time=T set-utc=Z reject-format: prefix=B " +
			"follow-symlinks read-only:",
	})
	if done {
		return status
	}
	if key := opts.Last("c", "e", "D", "g", "T", "Z", "V", "B", "Y", "merge", "read-only"); key != "" {
		return c.Unsupported("option " + key)
	}
	p := &patcher{
		c: c, opts: opts, strip: -1, fuzz: 2, reverse: opts.Has("R"), dry: opts.Has("dry-run"), quiet: opts.Has("s"),
	}
	for key, into := range map[string]*int{"p": &p.strip, "F": &p.fuzz} {
		if text, ok := opts.Value(key); ok {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				return p.fatal(fmt.Sprintf("%s %s is not a number", map[string]string{"p": "strip count", "F": "fuzz factor"}[key], text))
			}
			*into = n
		}
	}
	if len(opts.Operands) > 2 {
		return c.Usage(2, "%s: extra operand", opts.Operands[2])
	}
	input := "-"
	if len(opts.Operands) > 0 {
		p.target = opts.Operands[0]
	}
	if len(opts.Operands) == 2 {
		input = opts.Operands[1]
	}
	if text, ok := opts.Value("i"); ok {
		input = text
	}
	if dir, ok := opts.Value("d"); ok {
		info, err := c.Stat(dir)
		if err != nil || !info.IsDir() {
			return p.fatal("Can't change to directory " + dir + " : " + dirReason(err))
		}
		c.Dir = c.Path(dir) // the patch itself is looked for in there as well
	}
	raw, err := c.Slurp(input)
	if err != nil {
		return p.fatal("Can't open patch file " + input + " : " + kit.Reason(err))
	}
	return p.run(string(raw))
}

func dirReason(err error) string {
	if err == nil {
		return "Not a directory"
	}
	return kit.Reason(err)
}

// fatal ends the run with patch's stars.
func (p *patcher) fatal(text string) int {
	p.c.Fail("**** %s", text)
	return 2
}

func (p *patcher) say(format string, args ...any) {
	if !p.quiet {
		p.c.Out.Printf(format+"\n", args...)
	}
}

func (p *patcher) run(raw string) int {
	text := &patchText{lines: strings.SplitAfter(raw, "\n")}
	if text.lines[len(text.lines)-1] == "" {
		text.lines = text.lines[:len(text.lines)-1]
	}
	found := 0
	for {
		f, err := text.next()
		if err != nil {
			return p.fatal(err.Error())
		}
		if f == nil {
			break
		}
		found++
		if p.c.Context.Err() != nil {
			return 2
		}
		if status := p.file(f); status > 1 {
			return status
		}
	}
	if found == 0 && strings.TrimSpace(raw) != "" {
		return p.fatal("Only garbage was found in the patch input.")
	}
	if name, ok := p.opts.Value("o"); ok && name == "-" {
		p.c.Out.WriteString(p.output.String())
	} else if ok && !p.dry && found > 0 {
		if err := p.write(name, p.output.String()); err != nil {
			return p.fatal("Can't create file " + name + " : " + kit.Reason(err))
		}
	}
	return p.status
}

func (p *patcher) write(name, text string) error {
	file, err := p.c.Create(name)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, text)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

// stripped is a name of the patch without its first directories; "" if it has fewer.
func (p *patcher) stripped(name string) string {
	if name == "" || name == "/dev/null" {
		return ""
	}
	if p.strip < 0 {
		return filepath.Base(name)
	}
	for range p.strip {
		at := strings.IndexByte(name, '/')
		if at < 0 {
			return ""
		}
		name = strings.TrimLeft(name[at:], "/")
	}
	return name
}

// safe refuses names that lead out of the directory: a patch may come from anyone.
func (p *patcher) safe(name string) bool {
	if name == "" {
		return false
	}
	if !filepath.IsAbs(name) && !slices.Contains(strings.Split(name, "/"), "..") {
		return true
	}
	if !slices.Contains(p.ignored, name) {
		p.ignored = append(p.ignored, name)
		p.say("Ignoring potentially dangerous file name %s", name)
	}
	return false
}

// choose is the name of the file to patch: of the names in the patch one that exists, with the fewest directories.
func (p *patcher) choose(f *filePatch) string {
	if p.target != "" {
		return p.target
	}
	names := []string{f.oldName, f.newName, f.index}
	if f.renameFrom != "" {
		names = []string{f.renameFrom}
		if p.strip > 1 {
			p.strip, names[0] = p.strip-1, p.stripped("x/"+f.renameFrom)
		}
	}
	var candidates []string
	for _, name := range names {
		if f.renameFrom == "" {
			name = p.stripped(name)
		}
		if p.safe(name) {
			candidates = append(candidates, name)
		}
	}
	best := ""
	for _, name := range candidates {
		if info, err := p.c.Stat(name); err == nil && !info.IsDir() && (best == "" || nearerName(name, best)) {
			best = name
		}
	}
	if best == "" && (f.create || f.remove || f.emptyOld || f.emptyNew) {
		for _, name := range candidates {
			if best == "" || nearerName(name, best) {
				best = name
			}
		}
	}
	return best
}

func nearerName(a, b string) bool {
	partsA, partsB := strings.Count(a, "/"), strings.Count(b, "/")
	if partsA != partsB {
		return partsA < partsB
	}
	if len(filepath.Base(a)) != len(filepath.Base(b)) {
		return len(filepath.Base(a)) < len(filepath.Base(b))
	}
	return len(a) < len(b)
}
