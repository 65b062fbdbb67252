package patch

import (
	"regexp"
	"strconv"
	"strings"

	"capbox/toolbox/commands/compare"
)

// patchHunk is one change; lines keep their newline, so that the last line of a file may lack it.
type patchHunk struct {
	oldStart, newStart int
	old, new           []string
	body               []string // with a mark ' ', '-' or '+' before each line
	prefix, suffix     int      // how many lines of context begin and end it
}

// filePatch is what a patch says of one file.
type filePatch struct {
	style              byte // 'u' unified, 'n' normal
	oldName, newName   string
	index              string
	oldStamp, newStamp string // what follows the names
	create, remove     bool   // one side is no file at all
	emptyOld, emptyNew bool   // one side has no lines
	renameFrom         string
	renameTo           string
	mode               string // of a file that git creates
	hunks              []*patchHunk
	heading            []string // the text before the hunks
	line               int      // where its hunks begin in the patch
	stripCR            bool
}

// patchText reads a patch line by line.
type patchText struct {
	lines []string // with their ends
	at    int
}

// patchLinesMax bounds the line numbers of a patch.
const patchLinesMax = 1 << 40

func (p *patchText) peek(ahead int) string {
	if p.at+ahead < len(p.lines) {
		return p.lines[p.at+ahead]
	}
	return ""
}

func chomp(line string) string { return strings.TrimSuffix(line, "\n") }

var (
	unifiedHead = regexp.MustCompile(`^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@`)
	normalHead  = regexp.MustCompile(`^(\d+)(?:,(\d+))?([acd])(\d+)(?:,(\d+))?\s*$`)
	contextHead = regexp.MustCompile(`^\*{15}`)
)

// next is what the patch says of the next file; nil at the end.
func (p *patchText) next() (*filePatch, error) {
	f := &filePatch{}
	git := false
	for ; p.at < len(p.lines); p.at++ {
		line := chomp(p.lines[p.at])
		bare := strings.TrimSuffix(line, "\r")
		switch {
		case strings.HasPrefix(line, "diff --git "):
			if git && (f.renameTo != "" || f.create || f.remove) {
				return f, nil // a change without hunks came before
			}
			f, git = &filePatch{}, true
			f.oldName, f.newName = gitNames(bare[len("diff --git "):])
		case git && f.header(bare):
			if strings.HasPrefix(bare, "GIT binary patch") {
				return nil, errPatch("git binary diffs are not supported.")
			}
		case strings.HasPrefix(line, "Index: "):
			f.index = strings.TrimSpace(bare[len("Index: "):])
		case strings.HasPrefix(line, "--- ") && strings.HasPrefix(p.peek(1), "+++ ") && unifiedHead.MatchString(p.peek(2)):
			f.stripCR = bare != line
			f.names(bare, strings.TrimSuffix(chomp(p.peek(1)), "\r"))
			f.heading = append(f.heading, line, chomp(p.peek(1)))
			p.at += 2
			f.line = p.at + 1
			return f, p.unified(f)
		case strings.HasPrefix(line, "*** ") && strings.HasPrefix(p.peek(1), "--- ") && contextHead.MatchString(p.peek(2)):
			return nil, errPatch("not supported: context diffs; make the patch with diff -u")
		case normalHead.MatchString(line) && len(p.peek(1)) > 1 && strings.Contains("<>", p.peek(1)[:1]) && p.peek(1)[1] == ' ':
			f.line = p.at + 1
			return f, p.normal(f)
		}
		f.heading = append(f.heading, line)
	}
	if f.renameTo != "" || f.create || f.remove {
		return f, nil
	}
	return nil, nil
}

type errPatch string

func (e errPatch) Error() string { return string(e) }

// header reads a line of git's; false if it is none.
func (f *filePatch) header(line string) bool {
	for _, one := range []struct {
		prefix string
		set    func(rest string)
	}{
		{"new file mode ", func(rest string) { f.create, f.mode = true, rest }},
		{"deleted file mode ", func(string) { f.remove = true }},
		{"rename from ", func(rest string) { f.renameFrom = gitName(rest) }},
		{"rename to ", func(rest string) { f.renameTo = gitName(rest) }},
		{"new mode ", func(rest string) { f.mode = rest }},
		{"old mode ", func(string) {}}, {"similarity index ", func(string) {}}, {"index ", func(string) {}},
		{"GIT binary patch", func(string) {}},
	} {
		if rest, ok := strings.CutPrefix(line, one.prefix); ok {
			one.set(rest)
			f.heading = append(f.heading, line)
			return true
		}
	}
	return false
}

// gitNames splits "a/x b/x".
func gitNames(text string) (before, after string) {
	if strings.HasPrefix(text, `"`) {
		if end := strings.Index(text[1:], `" `); end >= 0 {
			return gitName(text[:end+2]), gitName(text[end+3:])
		}
	}
	if half := len(text) / 2; len(text)%2 == 1 && text[half] == ' ' && text[1:half] == text[half+2:] {
		return text[:half], text[half+1:]
	}
	before, after, _ = strings.Cut(text, " ")
	return before, after
}

// gitName undoes git's quoting.
func gitName(text string) string {
	if len(text) > 1 && text[0] == '"' {
		if plain, err := strconv.Unquote(text); err == nil {
			return plain
		}
	}
	return text
}

// names reads the two lines before the hunks. A file that one side does not have is /dev/null or of the epoch.
func (f *filePatch) names(before, after string) {
	split := func(line string) (name, stamp string) {
		name, stamp, tab := strings.Cut(line[4:], "\t")
		if !tab && !strings.HasPrefix(name, `"`) { // only a tab tells the blanks of a name from what follows it
			name, stamp, _ = strings.Cut(name, " ")
		}
		return gitName(name), stamp
	}
	f.style = 'u'
	f.oldName, f.oldStamp = split(before)
	f.newName, f.newStamp = split(after)
	epoch := func(stamp string) bool {
		return strings.HasPrefix(stamp, "1970-01-01 00:00:00") && (strings.HasSuffix(stamp, "+0000") || strings.HasSuffix(stamp, "UTC"))
	}
	f.create = f.create || f.oldName == "/dev/null" || epoch(f.oldStamp)
	f.remove = f.remove || f.newName == "/dev/null" || epoch(f.newStamp)
}

// unified reads the hunks of a unified diff.
func (p *patchText) unified(f *filePatch) error {
	for {
		m := unifiedHead.FindStringSubmatch(p.peek(0))
		if m == nil {
			return nil
		}
		head := p.peek(0)
		number := func(text string, usual int) int {
			if text == "" {
				return usual
			}
			n, err := strconv.Atoi(text)
			if err != nil || n > patchLinesMax {
				return -1
			}
			return n
		}
		h := &patchHunk{oldStart: number(m[1], 0), newStart: number(m[3], 0)}
		oldLeft, newLeft := number(m[2], 1), number(m[4], 1)
		if oldLeft < 0 || newLeft < 0 || h.oldStart < 0 || h.newStart < 0 {
			return errPatch("malformed patch at line " + strconv.Itoa(p.at+1) + ": " + head)
		}
		// An empty side stands after the line that is named.
		if oldLeft == 0 {
			h.oldStart++
			f.emptyOld = f.emptyOld || h.oldStart == 1 && len(f.hunks) == 0
		}
		if newLeft == 0 {
			h.newStart++
			f.emptyNew = f.emptyNew || h.newStart == 1 && len(f.hunks) == 0
		}
		p.at++
		if err := p.hunkBody(f, h, oldLeft, newLeft); err != nil {
			return err
		}
		f.hunks = append(f.hunks, h.measured())
	}
}

func (p *patchText) hunkBody(f *filePatch, h *patchHunk, oldLeft, newLeft int) error {
	for oldLeft > 0 || newLeft > 0 {
		if p.at >= len(p.lines) {
			if oldLeft < 3 && oldLeft == newLeft { // blank context at the end that got lost
				for ; oldLeft > 0; oldLeft-- {
					h.body = append(h.body, " \n")
				}
				return nil
			}
			return errPatch("unexpected end of file in patch")
		}
		line := p.lines[p.at]
		if f.stripCR && strings.HasSuffix(line, "\r\n") {
			line = line[:len(line)-2] + "\n"
		}
		if !strings.HasSuffix(line, "\n") {
			line += "\n"
		}
		if line == "\n" || line[0] == '\t' { // an empty line of context whose blank got lost
			line = " " + line
		}
		switch {
		case line[0] == ' ' && oldLeft > 0 && newLeft > 0:
			oldLeft--
			newLeft--
		case line[0] == '-' && oldLeft > 0:
			oldLeft--
		case line[0] == '+' && newLeft > 0:
			newLeft--
		default:
			return errPatch("malformed patch at line " + strconv.Itoa(p.at+1) + ": " + p.lines[p.at])
		}
		h.body = append(h.body, line)
		p.at++
		if strings.HasPrefix(p.peek(0), `\ `) {
			h.body[len(h.body)-1] = chomp(line)
			p.at++
		}
	}
	return nil
}

// measured derives both sides and the context from the body.
func (h *patchHunk) measured() *patchHunk {
	h.old, h.new = nil, nil
	first, last := -1, -1
	for i, line := range h.body {
		if line[0] != '+' {
			h.old = append(h.old, line[1:])
		}
		if line[0] != '-' {
			h.new = append(h.new, line[1:])
		}
		if line[0] != ' ' {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	h.prefix, h.suffix = len(h.body), len(h.body)
	if first >= 0 {
		h.prefix, h.suffix = first, len(h.body)-1-last
	}
	return h
}

// normal reads the hunks of a diff without options.
func (p *patchText) normal(f *filePatch) error {
	f.style = 'n'
	for {
		m := normalHead.FindStringSubmatch(chomp(p.peek(0)))
		if m == nil {
			return nil
		}
		number := func(text string, usual int) int {
			if n, err := strconv.Atoi(text); err == nil {
				return min(n, patchLinesMax)
			}
			return usual
		}
		h := &patchHunk{oldStart: number(m[1], 0), newStart: number(m[4], 0)}
		oldLines, newLines := number(m[2], h.oldStart)-h.oldStart+1, number(m[5], h.newStart)-h.newStart+1
		switch m[3] {
		case "a":
			h.oldStart++
			oldLines = 0
		case "d":
			h.newStart++
			newLines = 0
		}
		p.at++
		if err := p.normalSide(h, oldLines, '<', '-'); err != nil {
			return err
		}
		if m[3] == "c" {
			if chomp(p.peek(0)) != "---" {
				return errPatch("`---' expected at line " + strconv.Itoa(p.at+1) + " of patch")
			}
			p.at++
		}
		if err := p.normalSide(h, newLines, '>', '+'); err != nil {
			return err
		}
		f.hunks = append(f.hunks, h.measured())
	}
}

func (p *patchText) normalSide(h *patchHunk, count int, mark, kind byte) error {
	for ; count > 0; count-- {
		line := p.peek(0)
		if len(line) < 2 || line[0] != mark || line[1] != ' ' {
			return errPatch("`" + string(mark) + "' expected at line " + strconv.Itoa(p.at+1) + " of patch")
		}
		if !strings.HasSuffix(line, "\n") {
			line += "\n"
		}
		h.body = append(h.body, string(kind)+line[2:])
		p.at++
		if strings.HasPrefix(p.peek(0), `\ `) {
			h.body[len(h.body)-1] = chomp(h.body[len(h.body)-1])
			p.at++
		}
	}
	return nil
}

// reverse swaps the sides of a patch; the names stay in the order in which one is chosen.
func (f *filePatch) reverse() {
	f.oldStamp, f.newStamp = f.newStamp, f.oldStamp
	f.emptyOld, f.emptyNew = f.emptyNew, f.emptyOld
	f.create, f.remove = f.remove, f.create
	f.renameFrom, f.renameTo = f.renameTo, f.renameFrom
	f.mode = ""
	for _, h := range f.hunks {
		h.reverse()
	}
}

func (h *patchHunk) reverse() {
	h.oldStart, h.newStart = h.newStart, h.oldStart
	marks := map[byte]string{' ': " ", '-': "+", '+': "-"}
	var minus, plus, body []string
	flush := func() {
		body = append(append(body, minus...), plus...)
		minus, plus = nil, nil
	}
	for _, line := range h.body {
		switch line = marks[line[0]] + line[1:]; line[0] {
		case '-':
			minus = append(minus, line)
		case '+':
			plus = append(plus, line)
		default:
			flush()
			body = append(body, line)
		}
	}
	flush()
	h.body = body
	h.measured()
}

// rejected is the hunk as a reject file holds it, moved by how far the file's lines had moved.
func (h *patchHunk) rejected(moved int) string {
	side := func(start int, lines []string) string {
		if len(lines) == 0 {
			start--
		}
		return compare.UnifiedRange(start-1+map[bool]int{true: 1}[len(lines) == 0], start-1+len(lines)+map[bool]int{true: 1}[len(lines) == 0])
	}
	var out strings.Builder
	out.WriteString("@@ -" + side(h.oldStart, h.old) + " +" + side(h.newStart+moved, h.new) + " @@\n")
	for _, line := range h.body {
		out.WriteString(line)
		if !strings.HasSuffix(line, "\n") {
			out.WriteString("\n\\ No newline at end of file\n")
		}
	}
	return out.String()
}
