package checksums

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"io"
	"strings"

	"capbox/toolbox/commands/kit"
)

// digests are the checksum commands. MD5 and SHA-1 are here because people compare published sums with them.
var digests = map[string]func() hash.Hash{
	"md5sum": md5.New, "sha1sum": sha1.New, "sha224sum": sha256.New224, "sha256sum": sha256.New, "sha384sum": sha512.New384,
	"sha512sum": sha512.New,
}

// Checksum is the commands md5sum, sha1sum, sha224sum, sha256sum, sha384sum and sha512sum.
func Checksum(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "bctwz", Long: "binary=b check=c text=t warn=w quiet status tag zero=z ignore-missing strict", Usage: "[OPTION]... [FILE]...",
	})
	if done {
		return status
	}
	if opts.Has("c") {
		return checkSums(c, opts)
	}
	names := opts.Operands
	if len(names) == 0 {
		names = []string{"-"}
	}
	return c.Each(names, func(name string, in io.Reader) error {
		sum, err := digest(c, in)
		if err != nil {
			return err
		}
		end := "\n"
		if opts.Has("z") {
			end = "\x00"
		}
		mark := " "
		if opts.Last("b", "t") == "b" {
			mark = "*"
		}
		if opts.Has("tag") {
			c.Out.WriteString(sumTag(c) + " (" + name + ") = " + sum + end)
		} else {
			c.Out.WriteString(sum + " " + mark + name + end)
		}
		return nil
	})
}

func digest(c *kit.Call, in io.Reader) (string, error) {
	digest := digests[c.Name]()
	if _, err := io.Copy(digest, in); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// sumCheck is one run of -c: what came of the lines of a list.
type sumCheck struct {
	c                         *kit.Call
	opts                      *kit.Options
	lines, bad, missing, odds int
	matched, empty            bool
}

func checkSums(c *kit.Call, opts *kit.Options) int {
	k := &sumCheck{c: c, opts: opts}
	status := c.Each(opts.Operands, func(name string, in io.Reader) error {
		k.lines = 0
		err := kit.EachLine(in, func(line []byte) error {
			k.line(string(line))
			return nil
		})
		if k.lines == 0 && err == nil {
			if name == "-" {
				name = "'standard input'"
			}
			c.Fail("%s: no properly formatted checksum lines found", name)
			k.empty = true
		}
		return err
	})
	if k.empty {
		return 1
	}
	if !opts.Has("status") {
		k.warn(k.odds, "WARNING: %d line%s improperly formatted", " is", "s are")
		k.warn(k.missing, "WARNING: %d listed file%s could not be read", "", "s")
		k.warn(k.bad, "WARNING: %d computed checksum%s did NOT match", "", "s")
	}
	if k.bad+k.missing > 0 || k.odds > 0 && opts.Has("strict") {
		return 1
	}
	if opts.Has("ignore-missing") && !k.matched {
		return c.Fail("no file was verified")
	}
	return status
}

func (k *sumCheck) warn(n int, format, one, many string) {
	if n == 1 {
		k.c.Fail(format, n, one)
	} else if n > 1 {
		k.c.Fail(format, n, many)
	}
}

// line checks one line of a list: "sum  name", "sum *name" or "MD5 (name) = sum".
func (k *sumCheck) line(line string) {
	c := k.c
	sum, name, ok := strings.Cut(strings.TrimLeft(line, " \t"), " ")
	if tag := sumTag(c) + " ("; strings.HasPrefix(line, tag) {
		name, sum, ok = kit.CutLast(line[len(tag):], ") = ")
	} else {
		name = strings.TrimPrefix(strings.TrimPrefix(name, " "), "*")
	}
	if _, err := hex.DecodeString(sum); !ok || name == "" || err != nil || len(sum) != 2*digests[c.Name]().Size() {
		if line != "" && !strings.HasPrefix(line, "#") {
			k.odds++
		}
		return
	}
	k.lines++
	file, err := c.Open(name)
	if err != nil {
		if !k.opts.Has("ignore-missing") {
			k.missing++
			c.FailPath(name, err)
			k.say(name, "FAILED open or read")
		}
		return
	}
	got, err := digest(c, file)
	file.Close()
	if err == nil && strings.EqualFold(got, sum) {
		k.matched = true
		if !k.opts.Has("quiet") {
			k.say(name, "OK")
		}
		return
	}
	k.bad++
	k.say(name, "FAILED")
}

func (k *sumCheck) say(name, verdict string) {
	if !k.opts.Has("status") {
		k.c.Out.Line(name + ": " + verdict)
	}
}

// sumTag is how --tag names the kind of sum: MD5, SHA256.
func sumTag(c *kit.Call) string { return strings.ToUpper(strings.TrimSuffix(c.Name, "sum")) }
