package commands

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"strconv"
	"strings"
)

// digests are the checksum commands. MD5 and SHA-1 are here because people compare published sums with them.
var digests = map[string]func() hash.Hash{
	"md5sum": md5.New, "sha1sum": sha1.New, "sha224sum": sha256.New224, "sha256sum": sha256.New, "sha384sum": sha512.New384,
	"sha512sum": sha512.New,
}

func checksum(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "bctwz", Long: "binary=b check=c text=t warn=w quiet status tag zero=z ignore-missing strict", Usage: "[OPTION]... [FILE]...",
	})
	if done {
		return status
	}
	if opts.Has("c") {
		return c.checkSums(opts)
	}
	names := opts.Operands
	if len(names) == 0 {
		names = []string{"-"}
	}
	return c.Each(names, func(name string, in io.Reader) error {
		sum, err := c.digest(in)
		if err != nil {
			return err
		}
		if opts.Has("tag") {
			c.Out.Line(strings.ToUpper(strings.TrimSuffix(c.Name, "sum")) + " (" + name + ") = " + sum)
		} else {
			c.Out.Line(sum + "  " + name)
		}
		return nil
	})
}

func (c *Call) digest(in io.Reader) (string, error) {
	digest := digests[c.Name]()
	if _, err := io.Copy(digest, in); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

func (c *Call) checkSums(opts *Options) int {
	bad, missing := 0, 0
	status := c.Each(opts.Operands, func(_ string, in io.Reader) error {
		return eachLine(in, func(line []byte) error {
			sum, name, ok := strings.Cut(string(line), " ")
			if !ok {
				return nil
			}
			name = strings.TrimLeft(name, " *")
			file, err := c.Open(name)
			if err != nil {
				if !opts.Has("ignore-missing") {
					missing++
					c.FailPath(name, err)
					c.Out.Line(name + ": FAILED open or read")
				}
				return nil
			}
			got, err := c.digest(file)
			file.Close()
			verdict := "OK"
			if err != nil || !strings.EqualFold(got, sum) {
				verdict = "FAILED"
				bad++
			}
			if !opts.Has("status") && !(opts.Has("quiet") && verdict == "OK") {
				c.Out.Line(name + ": " + verdict)
			}
			return nil
		})
	})
	if bad > 0 && !opts.Has("status") {
		c.Fail("WARNING: %d computed checksum%s did NOT match", bad, map[bool]string{false: "s"}[bad == 1])
	}
	if bad+missing > 0 {
		return 1
	}
	return status
}

func base64Command(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "diw:", Long: "decode=d ignore-garbage=i wrap=w", Usage: "[OPTION]... [FILE]",
	})
	if done {
		return status
	}
	width := 76
	if text, ok := opts.Value("w"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return c.Fail("invalid wrap size: '%s'", text)
		}
		width = n
	}
	return c.Each(opts.Operands, func(_ string, in io.Reader) error {
		raw, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		if opts.Has("d") {
			clean := strings.Map(func(r rune) rune {
				if r == '\n' || r == '\r' || r == ' ' || opts.Has("i") && !strings.ContainsRune("+/=", r) && !classes["alnum"](r) {
					return -1
				}
				return r
			}, string(raw))
			text, err := base64.StdEncoding.DecodeString(clean)
			c.Out.Write(text)
			if err != nil {
				c.Fail("invalid input")
				status = 1
			}
			return nil
		}
		text := base64.StdEncoding.EncodeToString(raw)
		for width > 0 && len(text) > width {
			c.Out.Line(text[:width])
			text = text[width:]
		}
		if width > 0 && text != "" {
			c.Out.Line(text)
		} else {
			c.Out.WriteString(text)
		}
		return nil
	}) | status
}

// create opens a file for writing, at its end or from its start.
func (c *Call) create(name string, appending bool) (io.WriteCloser, error) {
	if !appending {
		return c.Create(name)
	}
	return OpenFile(c.Dir, name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644, Streams{Out: c.Out, Err: c.err})
}
