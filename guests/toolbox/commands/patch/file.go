package patch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// file applies what a patch says of one file.
func (p *patcher) file(f *filePatch) int {
	if p.reverse {
		f.reverse()
	}
	if f.stripCR {
		p.say("(Stripping trailing CRs from patch; use --binary to disable.)")
	}
	name := p.choose(f)
	if name == "" {
		return p.unknown(f)
	}
	out := name
	if f.renameTo != "" && p.target == "" {
		out = f.renameTo
		if !p.safe(out) {
			return p.fatal("Invalid file name " + out)
		}
	}
	text, exists, err := p.read(name)
	if err != nil {
		return p.fatal("Can't open file " + name + " : " + kit.Reason(err))
	}
	if len(f.hunks) > 0 && !p.agrees(f, name, exists, text) {
		p.status = 1
		p.c.Out.Line(hunkCount(len(f.hunks), len(f.hunks)) + " ignored")
		return 1
	}
	to, redirected := p.opts.Value("o")
	switch {
	case redirected && to == "-":
		fmt.Fprintf(p.c.Err(), "%s file - (read from %s)\n", p.verb(), name)
	case redirected:
		p.say("%s file %s (read from %s)", p.verb(), to, name)
	case out != name:
		p.say("%s file %s (renamed from %s)", p.verb(), out, name)
	default:
		p.say("%s file %s", p.verb(), quotedName(name))
	}
	job := &patchJob{p: p, f: f, name: name, out: out, placer: newPlacer(text, p.opts.Has("l"))}
	return job.run(text)
}

func (p *patcher) verb() string {
	if p.dry {
		return "checking"
	}
	return "patching"
}

// quotedName shows a name with odd characters in quotes.
func quotedName(name string) string {
	if strings.ContainsAny(name, " \t'\"$`\\*?") {
		return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	return name
}

// read gives a file's text; one that is not there is empty.
func (p *patcher) read(name string) (text string, exists bool, err error) {
	raw, err := p.c.Slurp(name)
	if err != nil && os.IsNotExist(err) {
		return "", false, nil
	}
	return string(raw), err == nil, err
}

// agrees asks whether a file that is to be made is missing or empty, and one that is to go is there.
func (p *patcher) agrees(f *filePatch, name string, exists bool, text string) bool {
	what, why := "", ""
	switch {
	case f.create && text != "":
		what, why = "create", "already exists"
	case (f.remove || f.emptyNew) && !exists:
		what, why = "delete", "does not exist"
	case (f.remove || f.emptyNew) && text == "":
		what, why = "empty out", "is already empty"
	default:
		return true
	}
	return p.ask(f, fmt.Sprintf("The next patch%s would %s the file %s,\nwhich %s!", p.reversedText(), what, name, why))
}

// hunkCount is "1 out of 2 hunks".
func hunkCount(count, total int) string {
	return fmt.Sprintf("%d out of %d hunk%s", count, total, map[bool]string{false: "s"}[total == 1])
}

func (p *patcher) reversedText() string {
	if p.reverse {
		return ", when reversed,"
	}
	return ""
}

// ask answers what patch would ask at a terminal: nobody is there, so it takes what Enter would choose. True goes on.
func (p *patcher) ask(f *filePatch, problem string) bool {
	assume, skip := "Assume -R?", "Skipping patch."
	if p.reverse {
		assume = "Ignore -R?"
	}
	switch {
	case p.opts.Has("f"):
		p.say("%s  Applying it anyway.", problem)
		return true
	case p.opts.Has("N"):
		p.say("%s  %s", problem, skip)
		return false
	case p.opts.Has("t"):
		p.say("%s  %s", problem, map[bool]string{false: "Assuming -R.", true: "Ignoring -R."}[p.reverse])
		f.reverse()
		return true
	}
	p.c.Out.Printf("%s  %s [n] \nApply anyway? [n] \n%s\n", problem, assume, skip)
	return false
}

// skip counts what was not applied, and saves it.
func (p *patcher) skip(f *filePatch, name string) int {
	p.status = 1
	var rejects strings.Builder
	for _, h := range f.hunks {
		rejects.WriteString(h.rejected(0))
	}
	return p.reject(f, name, rejects.String(), len(f.hunks), len(f.hunks), "ignored")
}

// reject tells how many hunks were not applied and writes them beside the file.
func (p *patcher) reject(f *filePatch, name, text string, count, total int, what string) int {
	p.status = max(p.status, 1)
	line := hunkCount(count, total) + " " + what
	target := name + ".rej"
	if given, ok := p.opts.Value("r"); ok {
		target = given
	}
	if to, ok := p.opts.Value("o"); ok && target == name+".rej" {
		target = to + ".rej"
	}
	if p.dry || target == "-" {
		p.c.Out.Line(line)
		return 1
	}
	p.c.Out.Line(line + " -- saving rejects to file " + target)
	stamp := func(name, stamp string) string {
		if stamp != "" {
			return name + "\t" + stamp
		}
		return name
	}
	head := "--- " + stamp(name, f.oldStamp) + "\n+++ " + stamp(name, f.newStamp) + "\n"
	if err := p.write(target, head+text); err != nil {
		return p.fatal("Can't create file " + target + " : " + kit.Reason(err))
	}
	return 1
}

// unknown tells that no file of the patch is there.
func (p *patcher) unknown(f *filePatch) int {
	p.status = 1
	p.c.Out.Printf("can't find file to patch at input line %d\n", f.line)
	if p.strip < 0 {
		p.c.Out.Line("Perhaps you should have used the -p or --strip option?")
	} else {
		p.c.Out.Line("Perhaps you used the wrong -p or --strip option?")
	}
	if len(f.heading) > 0 {
		p.c.Out.Line("The text leading up to this was:\n--------------------------")
		for _, line := range f.heading {
			p.c.Out.Line("|" + line)
		}
		p.c.Out.Line("--------------------------")
	}
	if p.opts.Has("f", "t") {
		p.c.Out.Line("No file to patch.  Skipping patch.")
	} else {
		p.c.Out.Line("File to patch: \nSkip this patch? [y] \nSkipping patch.")
	}
	p.c.Out.Line(hunkCount(len(f.hunks), len(f.hunks)) + " ignored")
	return 1
}

// patchJob is one file while it is patched.
type patchJob struct {
	p         *patcher
	f         *filePatch
	name, out string
	placer    *placer
	mismatch  bool
	failed    int
	rejects   strings.Builder
}

func (j *patchJob) run(before string) int {
	p := j.p
	for i := range j.f.hunks {
		if goes := j.hunk(i); !goes {
			return p.skip(j.f, j.name)
		}
	}
	after := j.placer.text()
	status := 0
	if j.failed > 0 {
		status = p.reject(j.f, j.name, j.rejects.String(), j.failed, len(j.f.hunks), "FAILED")
	}
	if status > 1 || p.dry {
		return status
	}
	if _, given := p.opts.Value("o"); given {
		p.output.WriteString(after)
		return status
	}
	return max(status, j.save(before, after))
}

// hunk applies one hunk or keeps it as a reject; false skips the whole patch.
func (j *patchJob) hunk(i int) bool {
	p, h := j.p, j.f.hunks[i]
	fuzzMax := min(p.fuzz, max(h.prefix, h.suffix))
	offset := j.placer.offset
	at, fuzz := 0, 0
	for ; fuzz <= fuzzMax; fuzz++ {
		if at = j.placer.find(h, fuzz); at > 0 {
			break
		}
		if i > 0 || p.opts.Has("f") || !j.placer.fits(h, fuzz) {
			continue
		}
		if !p.ask(j.f, map[bool]string{false: "Reversed (or previously applied) patch detected!", true: "Unreversed patch detected!"}[p.reverse]) {
			return false
		}
		h = j.f.hunks[0] // --batch turned it round
		if at = j.placer.find(h, fuzz); at > 0 {
			break
		}
	}
	moved := len(j.placer.out) - j.placer.frozen
	if at == 0 {
		j.mismatch = true
		j.failed++
		p.say("Hunk #%d FAILED at %d.", i+1, h.oldStart+moved)
		j.rejects.WriteString(h.rejected(0))
		return true
	}
	if far := at - h.oldStart; fuzz > 0 || far != 0 {
		j.mismatch = true
		if fuzz > 0 || j.placer.offset != offset || far != 0 {
			j.tell(i, at+moved, fuzz, far)
		}
	}
	j.placer.apply(h, at)
	return true
}

func (j *patchJob) tell(i, at, fuzz, far int) {
	text := fmt.Sprintf("Hunk #%d succeeded at %d", i+1, at)
	if fuzz > 0 {
		text += fmt.Sprintf(" with fuzz %d", fuzz)
	}
	if far != 0 {
		text += fmt.Sprintf(" (offset %d line%s)", far, map[bool]string{false: "s"}[far == 1])
	}
	j.p.say("%s.", text)
}

// save writes the result, keeps the old text as .orig if asked or if a hunk did not fit exactly, and removes a file
// that the patch empties away.
func (j *patchJob) save(before, after string) int {
	p, c := j.p, j.p.c
	if !p.opts.Has("no-backup-if-mismatch", "posix") && j.mismatch || p.opts.Has("b") {
		suffix := ".orig"
		if text, ok := p.opts.Value("z"); ok {
			suffix = text
		}
		if err := p.write(j.out+suffix, before); err != nil {
			return p.fatal("Can't create file " + j.out + suffix + " : " + kit.Reason(err))
		}
	}
	if after == "" && (j.f.remove || p.opts.Has("E")) && j.failed == 0 {
		if err := os.Remove(c.Path(j.name)); err != nil {
			return p.fatal("Can't remove file " + j.name + " : " + kit.Reason(err))
		}
		return 0
	}
	status := 0
	if j.f.remove && j.failed == 0 {
		c.Out.Printf("Not deleting file %s as content differs from patch\n", j.name)
		status, p.status = 1, max(p.status, 1)
	}
	if dir := filepath.Dir(j.out); dir != "." {
		if err := os.MkdirAll(c.Path(dir), 0o755); err != nil {
			return p.fatal("Can't create directory " + dir + " : " + kit.Reason(err))
		}
	}
	mode, _, err := fileinfo.Mode(c.Path(j.name))
	if err := p.write(j.out, after); err != nil {
		return p.fatal("Can't create file " + j.out + " : " + kit.Reason(err))
	}
	if j.out != j.name {
		if err == nil {
			_ = fileinfo.SetMode(c.Path(j.out), mode&0o777)
		}
		if err := os.Remove(c.Path(j.name)); err != nil {
			return p.fatal("Can't remove file " + j.name + " : " + kit.Reason(err))
		}
	}
	if len(j.f.mode) > 3 {
		if bits, ok := fileinfo.ChangeMode(0, j.f.mode[len(j.f.mode)-3:], false); ok {
			_ = fileinfo.SetMode(c.Path(j.out), bits)
		}
	}
	return status
}
