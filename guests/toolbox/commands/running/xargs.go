package running

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
)

// xargsJob is one run of xargs.
type xargsJob struct {
	c          *kit.Call
	command    []string
	replace    string
	perCommand int // 0 is as many as fit
	bytesMax   int // of the arguments of one command
	verbose    bool
	status     int
	stopped    bool
}

// Xargs is the command xargs.
func Xargs(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "0a:d:E:I:i::L:l::n:oP:prs:tx", Usage: "[OPTION]... [COMMAND [INITIAL-ARGS]...]", Ordered: true,
		Long: "null=0 arg-file=a delimiter=d replace=i max-lines=l max-args=n max-procs=P no-run-if-empty=r max-chars=s " +
			"verbose=t exit=x interactive=p",
	})
	if done {
		return status
	}
	if status, done := c.Refuse(opts, "p", "o"); done {
		return status
	}
	j := &xargsJob{c: c, command: opts.Operands, verbose: opts.Has("t")}
	if len(j.command) == 0 {
		j.command = []string{"echo"}
	}
	if problem := j.limit(opts); problem != "" {
		return c.Fail("%s", problem)
	}
	if text, ok := opts.Value("I", "i"); ok {
		j.replace = text
		if text == "" {
			j.replace = "{}"
		}
	}
	if text, ok := opts.Value("n", "L", "l"); ok {
		n, err := strconv.Atoi(text)
		if text == "" {
			n, err = 1, nil
		}
		if err != nil || n < 1 {
			return c.Fail("invalid number for -%s option: '%s'", opts.Last("n", "L", "l"), text)
		}
		j.perCommand = n
	}
	var in io.Reader = c.Input()
	if name, ok := opts.Value("a"); ok {
		file, err := c.Open(name)
		if err != nil {
			return c.FailPath(name, err)
		}
		defer file.Close()
		in = file
	}
	byLine := opts.Last("L", "l", "n") != "" && opts.Last("L", "l", "n") != "n"
	items, err := xargsItems(in, opts, j.replace != "" || byLine)
	if err != nil {
		return c.Fail("%s", err)
	}
	if end, ok := opts.Value("E"); ok && end != "" && !opts.Has("0", "d") {
		if at := slices.Index(items, end); at >= 0 {
			items = items[:at]
		}
	}
	if len(items) == 0 && (opts.Has("r") || j.replace != "") {
		return 0
	}
	j.run(items)
	return j.status
}

// limit reads how long a command may get with its arguments.
func (j *xargsJob) limit(opts *kit.Options) string {
	j.bytesMax = kit.BatchBytesMax
	text, ok := opts.Value("s")
	if !ok {
		return ""
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return "invalid number \"" + text + "\" for -s option"
	}
	j.bytesMax = min(n, kit.BatchBytesMax)
	for _, word := range j.command {
		j.bytesMax -= len(word) + 1
	}
	return ""
}

// xargsItems splits the input: by NUL, by a delimiter, by lines, or by blanks with quotes.
func xargsItems(in io.Reader, opts *kit.Options, lines bool) ([]string, error) {
	delimiter, ok := opts.Value("d")
	switch {
	case opts.Has("0"):
		delimiter = "\x00"
	case ok:
		delimiter = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\0`, "\x00", `\\`, `\`).Replace(delimiter)
	default:
		delimiter = ""
	}
	if delimiter != "" {
		return kit.AllLines(in, delimiter[0])
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	return splitQuoted(string(text), lines)
}

// splitQuoted splits at blanks (or lines only), with quotes and backslashes as xargs reads them.
func splitQuoted(text string, lines bool) ([]string, error) {
	var items []string
	var item strings.Builder
	inside, quote := false, byte(0)
	flush := func() {
		if inside {
			items = append(items, item.String())
			item.Reset()
			inside = false
		}
	}
	for i := 0; i < len(text); i++ {
		b := text[i]
		switch {
		case quote != 0 && b == '\n':
			return nil, unmatched(quote)
		case quote != 0 && b == quote:
			quote = 0
		case quote != 0:
			item.WriteByte(b)
		case b == '"' || b == '\'':
			quote, inside = b, true
		case b == '\\' && i+1 < len(text):
			i++
			item.WriteByte(text[i])
			inside = true
		case b == '\n' || !lines && (b == ' ' || b == '\t'):
			flush()
		case lines && !inside && (b == ' ' || b == '\t'):
		default:
			item.WriteByte(b)
			inside = true
		}
	}
	if quote != 0 {
		return nil, unmatched(quote)
	}
	flush()
	return items, nil
}

func unmatched(quote byte) error {
	kind := map[byte]string{'"': "double", '\'': "single"}[quote]
	return errors.New("unmatched " + kind + " quote; by default quotes are special to xargs unless you use the -0 option")
}

func (j *xargsJob) run(items []string) {
	if j.replace != "" {
		for _, item := range items {
			args := make([]string, len(j.command))
			for i, arg := range j.command {
				args[i] = strings.ReplaceAll(arg, j.replace, item)
			}
			if j.start(args); j.stopped {
				return
			}
		}
		return
	}
	for first := true; first || len(items) > 0; first = false {
		size, n := 0, 0
		for n < len(items) && (j.perCommand == 0 || n < j.perCommand) && (n == 0 || size+len(items[n]) < j.bytesMax) {
			size += len(items[n]) + 1
			n++
		}
		if n > 0 && size > j.bytesMax {
			j.status = j.c.Fail("argument line too long")
			return
		}
		if j.start(append(append([]string{}, j.command...), items[:n]...)); j.stopped {
			return
		}
		items = items[n:]
	}
}

// start runs one command; its status decides what xargs returns, as in GNU xargs.
func (j *xargsJob) start(args []string) {
	if j.verbose {
		j.c.Out.Flush()
		io.WriteString(j.c.Err(), strings.Join(args, " ")+"\n")
	}
	status := j.c.Run(args, kit.Change{Streams: kit.Streams{In: strings.NewReader("")}})
	switch {
	case status == 0:
	case status == 127 || status == 126:
		j.status, j.stopped = status, true
	case status == 255:
		j.c.Fail("%s: exited with status 255; aborting", args[0])
		j.status, j.stopped = 124, true
	default:
		j.status = 123
	}
}
