package commands

import (
	"crypto/rand"
	"encoding/binary"
	"io"
	"os"
	"strconv"
	"strings"
)

// randomText is n letters and digits. Only crypto/rand is fresh in each call: the snapshot froze the other sources.
func randomText(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	raw := make([]byte, n)
	_, _ = rand.Read(raw)
	for i, b := range raw {
		raw[i] = letters[int(b)%len(letters)]
	}
	return string(raw)
}

// randomBelow is a number from 0 to n-1.
func randomBelow(n int) int {
	var raw [8]byte
	_, _ = rand.Read(raw[:])
	return int(binary.LittleEndian.Uint64(raw[:]) % uint64(n))
}

func mktemp(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "dp:qtu", Long: "directory=d tmpdir:: dry-run=u quiet=q suffix:", Usage: "[OPTION]... [TEMPLATE]",
	})
	if done {
		return status
	}
	template := c.mktempTemplate(opts)
	end := strings.LastIndexByte(template, 'X') + 1
	start := end
	for start > 0 && template[start-1] == 'X' {
		start--
	}
	if end-start < 3 {
		return c.Fail("too few X's in template '%s'", template)
	}
	var err error
	for range 100 {
		name := template[:start] + randomText(end-start) + template[end:]
		switch {
		case opts.Has("u"):
			_, err = os.Lstat(c.Path(name))
			if err == nil {
				continue
			}
			err = nil
		case opts.Has("d"):
			err = os.Mkdir(c.Path(name), 0o700)
		default:
			var file *os.File
			if file, err = os.OpenFile(c.Path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
				file.Close()
			}
		}
		if err == nil && !opts.Has("u") {
			mode := uint32(0o600)
			if opts.Has("d") {
				mode = 0o700
			}
			err = setMode(c.Path(name), mode) // preview 1 makes files without one
		}
		if err == nil {
			c.Out.Line(name)
			return 0
		}
		if !os.IsExist(err) {
			break
		}
	}
	if opts.Has("q") {
		return 1
	}
	if opts.Has("d") {
		return c.Fail("failed to create directory via template '%s': %s", template, reason(err))
	}
	return c.Fail("failed to create file via template '%s': %s", template, reason(err))
}

// mktempTemplate is the name to fill in, with its directory.
func (c *Call) mktempTemplate(opts *Options) string {
	template := "tmp.XXXXXXXXXX"
	inTemp := len(opts.Operands) == 0 || opts.Has("p", "tmpdir", "t")
	if len(opts.Operands) > 0 {
		template = opts.Operands[0]
	}
	if suffix, ok := opts.Value("suffix"); ok {
		template += suffix
	}
	if inTemp {
		dir, _ := opts.Value("p", "tmpdir")
		if dir == "" {
			dir = c.Env()["TMPDIR"]
		}
		if dir == "" {
			dir = "/tmp"
		}
		template = joinName(dir, template)
	}
	return template
}

func shuf(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "ei:n:o:rz", Usage: "[OPTION]... [FILE]",
		Long: "echo=e input-range=i head-count=n output=o repeat=r zero-terminated=z random-source:",
	})
	if done {
		return status
	}
	lines, status := c.shufLines(opts)
	if status != 0 {
		return status
	}
	limit := len(lines)
	if text, ok := opts.Value("n"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return c.Fail("invalid line count: '%s'", text)
		}
		if limit = min(n, limit); opts.Has("r") {
			limit = n
		}
		if limit > 0 && len(lines) == 0 {
			return c.Fail("no lines to repeat")
		}
	}
	out := c.Out
	if name, ok := opts.Value("o"); ok {
		file, err := c.Create(name)
		if err != nil {
			return c.FailPath(name, err)
		}
		defer file.Close()
		out = NewOutput(file)
	}
	for i := range limit {
		if opts.Has("r") && len(lines) > 0 {
			out.WriteString(lines[randomBelow(len(lines))] + "\n")
			continue
		}
		other := i + randomBelow(len(lines)-i)
		lines[i], lines[other] = lines[other], lines[i]
		out.WriteString(lines[i] + "\n")
	}
	out.Flush()
	return 0
}

// shufLines is what shuf shuffles: a range of numbers, its arguments, or the lines of files.
func (c *Call) shufLines(opts *Options) ([]string, int) {
	var lines []string
	switch text, ranged := opts.Value("i"); {
	case ranged:
		from, to, _ := strings.Cut(text, "-")
		low, err := strconv.Atoi(from)
		high, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil || low < 0 || high < low-1 || high-low > 10_000_000 {
			return nil, c.Fail("invalid input range: '%s'", text)
		}
		for i := range high - low + 1 {
			lines = append(lines, strconv.Itoa(low+i))
		}
	case opts.Has("e"):
		lines = opts.Operands
	default:
		status := c.Each(opts.Operands, func(_ string, in io.Reader) error {
			more, err := allLines(in, '\n')
			lines = append(lines, more...)
			return err
		})
		if status != 0 {
			return nil, status
		}
	}
	return lines, 0
}
