package compare

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/pattern"
)

// differ is one run of diff.
type differ struct {
	c       *kit.Call
	opts    *kit.Options
	context int
	style   byte // 'u', 'c', 'e', 'y' side by side, 'l' formats by line, 'q' brief, 'n' normal
	width   int  // of -y
	ignored []*pattern.Pattern
	titles  *pattern.Pattern // -p and -F: what a hunk belongs to
	command string
}

// Diff is the command diff.
func Diff(c *kit.Call) int {
	for i, arg := range c.Args {
		if digits, ok := strings.CutPrefix(arg, "-u"); ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
			c.Args[i] = "-U" + digits
		}
	}
	opts, status, done := c.Parse(kit.Spec{
		Short: "abBcC:D:eEF:I:ilndqrNsTuU:W:wyx:ptX:", Usage: "[OPTION]... FILES", Status: 2,
		Long: "brief=q unified:: recursive=r new-file=N report-identical-files=s ignore-case=i ignore-all-space=w " +
			"ignore-space-change=b ignore-blank-lines=B exclude=x text=a color:: label: strip-trailing-cr normal " +
			"ignore-trailing-space=Z context:: show-c-function=p show-function-line=F ignore-matching-lines=I ed=e side-by-side=y " +
			"width=W suppress-common-lines left-column expand-tabs=t ifdef=D rcs=n initial-tab=T paginate=l exclude-from=X " +
			"unchanged-line-format: old-line-format: new-line-format: line-format: speed-large-files no-dereference " +
			"ignore-tab-expansion=E from-file: to-file: starting-file:",
	})
	if done {
		return status
	}
	if status, done := c.Refuse(opts, "D", "E", "n", "T", "t", "l", "X", "from-file", "to-file", "starting-file"); done {
		return status
	}
	if len(opts.Operands) != 2 {
		if len(opts.Operands) > 2 {
			return c.Usage(2, "extra operand '%s'", opts.Operands[2])
		}
		return c.Usage(2, "missing operand after '%s'", append([]string{"diff"}, opts.Operands...)[len(opts.Operands)])
	}
	d := &differ{c: c, opts: opts, context: 3, style: 'n', command: "diff " + strings.Join(c.Args[:max(0, len(c.Args)-2)], " ")}
	if problem := d.prepare(); problem != "" {
		c.Fail("%s", problem)
		return 2
	}
	a, b := opts.Operands[0], opts.Operands[1]
	infoA, errA := statInput(c, a)
	infoB, errB := statInput(c, b)
	if errA == nil && errB == nil && infoA != infoB && infoA && infoB != infoA {
		a = kit.JoinName(a, kit.BaseOf(b))
		infoA = false
	} else if errA == nil && errB == nil && infoB && !infoA {
		b = kit.JoinName(b, kit.BaseOf(a))
		infoB = false
	}
	for i, err := range []error{errA, errB} {
		if err != nil && !opts.Has("N") {
			c.FailPath(opts.Operands[i], err)
			status = 2
		}
	}
	if status != 0 {
		return status
	}
	if infoA && infoB {
		return d.trees(a, b)
	}
	return d.files(a, b, false)
}

// prepare reads the style, its numbers and expressions; the text is what is wrong with them.
func (d *differ) prepare() string {
	opts := d.opts
	styles := []struct {
		style byte
		keys  []string
	}{
		{'u', []string{"u", "U", "unified"}}, {'c', []string{"c", "C", "context"}}, {'e', []string{"e"}}, {'y', []string{"y"}},
		{'l', []string{"unchanged-line-format", "old-line-format", "new-line-format", "line-format"}},
	}
	for _, one := range styles {
		if opts.Has(one.keys...) {
			if d.style != 'n' {
				return "conflicting output style options"
			}
			d.style = one.style
		}
	}
	if opts.Has("p", "F") && d.style == 'n' {
		d.style = 'c'
	}
	if opts.Has("q") {
		d.style = 'q'
	}
	if text, ok := opts.Value("U", "unified", "C", "context"); ok && text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return "invalid context length '" + text + "'"
		}
		d.context = min(n, 1<<30) // twice as much must not overflow
	}
	d.width = 130
	if text, ok := opts.Value("W"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return "invalid width '" + text + "'"
		}
		d.width = min(n, kit.PaddingMax)
	}
	for _, one := range opts.List {
		expression := one.Value
		switch one.Key {
		case "p":
			expression = "^[[:alpha:]$_]"
		case "F", "I":
		default:
			continue
		}
		compiled, err := pattern.Compile(expression, pattern.Basic, pattern.Options{})
		if err != nil {
			return expression + ": " + err.Error()
		}
		if one.Key == "I" {
			d.ignored = append(d.ignored, compiled)
		} else {
			d.titles = compiled
		}
	}
	return ""
}

// title is the last line before a hunk that -p or -F looks for.
func (d *differ) title(lines []string) func(from int) string {
	return func(from int) string {
		for i := from - 1; i >= 0 && d.titles != nil; i-- {
			if d.titles.Match([]byte(lines[i])) {
				text := []rune(strings.TrimLeft(lines[i], " \t"))
				return " " + strings.TrimRight(string(text[:min(len(text), 40)]), " \t")
			}
		}
		return ""
	}
}

// ignores says whether an edit is only of lines that -B or -I leave out.
func (d *differ) ignores(lines ...[]string) bool {
	for _, some := range lines {
		for _, line := range some {
			skip := d.opts.Has("B") && strings.TrimSpace(line) == ""
			for _, regex := range d.ignored {
				skip = skip || regex.Match([]byte(line))
			}
			if !skip {
				return false
			}
		}
	}
	return true
}

// statInput says whether the name is a directory.
func statInput(c *kit.Call, name string) (bool, error) {
	if name == "-" {
		return false, nil
	}
	info, err := c.Stat(name)
	return err == nil && info.IsDir(), err
}

// trees compares two directories by name.
func (d *differ) trees(a, b string) int {
	list := func(dir string) map[string]bool {
		names := map[string]bool{}
		entries, err := os.ReadDir(d.c.Path(dir))
		if err != nil {
			d.c.FailPath(dir, err)
		}
		glob, excluded := d.opts.Value("x")
		for _, entry := range entries {
			if !excluded || !pattern.MatchGlob(glob, entry.Name()) {
				names[entry.Name()] = true
			}
		}
		return names
	}
	left, right := list(a), list(b)
	var names []string
	for name := range left {
		names = append(names, name)
	}
	for name := range right {
		if !left[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	status := 0
	for _, name := range names {
		from, to := kit.JoinName(a, name), kit.JoinName(b, name)
		if !(left[name] && right[name]) && !d.opts.Has("N") {
			where := a
			if right[name] {
				where = b
			}
			d.c.Out.Line("Only in " + where + ": " + name)
			status = max(status, 1)
			continue
		}
		dirA, _ := statInput(d.c, from)
		dirB, _ := statInput(d.c, to)
		switch {
		case (dirA || !left[name]) && (dirB || !right[name]) && (dirA || dirB):
			if d.opts.Has("r") {
				status = max(status, d.trees(from, to))
			} else {
				d.c.Out.Line("Common subdirectories: " + from + " and " + to)
			}
		case dirA || dirB:
			kinds := map[bool]string{true: "directory", false: "regular file"}
			d.c.Out.Printf("File %s is a %s while file %s is a %s\n", from, kinds[dirA], to, kinds[dirB])
			status = max(status, 1)
		default:
			status = max(status, d.files(from, to, true))
		}
	}
	return status
}

// files compares two files.
func (d *differ) files(a, b string, titled bool) int {
	textA, endA, err := d.read(a)
	if err != nil {
		d.c.FailPath(a, err)
		return 2
	}
	textB, endB, err := d.read(b)
	if err != nil {
		d.c.FailPath(b, err)
		return 2
	}
	keysA, keysB := d.keys(textA, endA), d.keys(textB, endB)
	if slices.Equal(keysA, keysB) && d.style == 'y' && !d.opts.Has("suppress-common-lines") {
		d.show(a, b, diffSides{textA, textB, endA, endB}, nil)
	}
	if slices.Equal(keysA, keysB) {
		if d.opts.Has("s") {
			d.c.Out.Printf("Files %s and %s are identical\n", a, b)
		}
		return 0
	}
	binary := func(lines []string) bool {
		return slices.ContainsFunc(lines, func(s string) bool { return strings.IndexByte(s, 0) >= 0 })
	}
	if d.style == 'q' {
		d.c.Out.Printf("Files %s and %s differ\n", a, b)
		return 1
	}
	if (binary(textA) || binary(textB)) && !d.opts.Has("a") {
		d.c.Out.Printf("Binary files %s and %s differ\n", a, b)
		return 1
	}
	edits := compareLines(keysA, keysB)
	if d.opts.Has("B", "I") {
		edits = slices.DeleteFunc(edits, func(e edit) bool { return d.ignores(textA[e.fromA:e.toA], textB[e.fromB:e.toB]) })
		if len(edits) == 0 {
			return 0
		}
	}
	if titled {
		d.c.Out.Line(strings.TrimRight(d.command, " ") + " " + a + " " + b)
	}
	return d.show(a, b, diffSides{textA, textB, endA, endB}, edits)
}

// show prints the edits in the style asked for.
func (d *differ) show(a, b string, sides diffSides, edits []edit) int {
	out, labels := d.c.Out, d.labels(a, b)
	switch d.style {
	case 'u':
		out.Line("--- " + labels[0])
		out.Line("+++ " + labels[1])
		sides.unified(out, edits, d.context, d.title(sides.a))
	case 'c':
		out.Line("*** " + labels[0])
		out.Line("--- " + labels[1])
		sides.contextual(out, edits, d.context, d.title(sides.a))
	case 'e':
		sides.script(out, edits)
	case 'y':
		newBeside(out, d.width, !d.opts.Has("suppress-common-lines"), d.opts.Has("left-column")).print(sides, edits)
	case 'l':
		formats := lineFormats{"%L", "%L", "%L"}
		for key, into := range map[string]*string{
			"old-line-format": &formats.old, "new-line-format": &formats.new, "unchanged-line-format": &formats.same,
		} {
			if text, ok := d.opts.Value(key, "line-format"); ok {
				*into = text
			}
		}
		if !formats.print(out, sides, edits) {
			return d.c.Unsupported("this line format; %L, %l and %% are known")
		}
	default:
		sides.normal(out, edits)
	}
	return 1
}

func (d *differ) read(name string) (lines []string, ended bool, err error) {
	in, err := d.c.Open(name)
	if err != nil {
		if d.opts.Has("N") && kit.Reason(err) == "No such file or directory" {
			return nil, true, nil
		}
		return nil, false, err
	}
	defer in.Close()
	raw, err := io.ReadAll(in)
	if err != nil || len(raw) == 0 {
		return nil, true, err
	}
	text := string(raw)
	ended = strings.HasSuffix(text, "\n")
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n"), ended, nil
}

// keys are the lines as they are compared.
func (d *differ) keys(lines []string, ended bool) []string {
	keys := slices.Clone(lines)
	for i, line := range keys {
		if d.opts.Has("strip-trailing-cr") {
			line = strings.TrimSuffix(line, "\r")
		}
		switch {
		case d.opts.Has("w"):
			line = strings.Join(strings.Fields(line), "")
		case d.opts.Has("b"):
			line = strings.TrimRight(strings.Join(strings.FieldsFunc(" "+line, IsBlank), " "), " ")
		case d.opts.Has("Z"):
			line = strings.TrimRight(line, " \t")
		}
		if d.opts.Has("i") {
			line = strings.ToLower(line)
		}
		keys[i] = line
	}
	if !ended && len(keys) > 0 && !d.opts.Has("w", "b") {
		keys[len(keys)-1] += "\x00" // a missing last newline is a difference
	}
	return keys
}

// IsBlank says whether diff and patch take a character for white space.
func IsBlank(r rune) bool { return r == ' ' || r == '\t' }

func (d *differ) labels(a, b string) [2]string {
	var given []string
	for _, one := range d.opts.List {
		if one.Key == "label" {
			given = append(given, one.Value)
		}
	}
	var labels [2]string
	for i, name := range []string{a, b} {
		when := time.Now()
		if name != "-" {
			if info, err := d.c.Stat(name); err != nil {
				when = time.Unix(0, 0)
			} else if !info.ModTime().IsZero() {
				when = info.ModTime()
			}
		}
		labels[i] = fmt.Sprintf("%s\t%s", name, when.UTC().Format("2006-01-02 15:04:05.000000000 -0700"))
		if i < len(given) {
			labels[i] = given[i]
		}
	}
	return labels
}
