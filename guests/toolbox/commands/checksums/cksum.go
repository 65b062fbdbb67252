// Package checksums holds the commands that turn bytes into checksums or letters: cksum, the sums, and base64.
package checksums

import (
	"bufio"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/crypto/blake2b"

	"capbox/toolbox/commands/kit"
)

// algorithm is one that cksum -a names; the first three are no digests but short sums with a count of bytes.
type algorithm struct {
	tag string
	new func(bits int) (hash.Hash, error)
}

func plainHash(make func() hash.Hash) func(int) (hash.Hash, error) {
	return func(int) (hash.Hash, error) { return make(), nil }
}

var algorithms = map[string]algorithm{
	"md5": {"MD5", plainHash(md5.New)}, "sha1": {"SHA1", plainHash(sha1.New)}, "sha224": {"SHA224", plainHash(sha256.New224)},
	"sha256": {"SHA256", plainHash(sha256.New)}, "sha384": {"SHA384", plainHash(sha512.New384)},
	"sha512":  {"SHA512", plainHash(sha512.New)},
	"blake2b": {"BLAKE2b", func(bits int) (hash.Hash, error) { return blake2b.New(bits/8, nil) }},
}

// summing is one run of cksum, sum or b2sum.
type summing struct {
	c    *kit.Call
	opts *kit.Options
	kind string
	bits int
	end  string
}

// Cksum is the commands b2sum and cksum.
func Cksum(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "a:bctl:wz", Usage: "[OPTION]... [FILE]...",
		Long: "algorithm=a base64 binary=b check=c debug text=t length=l raw tag untagged zero=z ignore-missing quiet status strict warn=w",
	})
	if done {
		return status
	}
	kind, ok := opts.Value("a")
	if !ok {
		kind = "crc"
	}
	if c.Name == "b2sum" {
		kind = "blake2b"
	}
	if _, known := algorithms[kind]; !known && kind != "crc" && kind != "bsd" && kind != "sysv" {
		if kind == "sm3" {
			return c.Unsupported("-a sm3")
		}
		return c.Usage(1, "invalid argument '%s' for '--algorithm'", kind)
	}
	s := &summing{c: c, opts: opts, kind: kind, bits: 512, end: "\n"}
	if opts.Has("z") {
		s.end = "\x00"
	}
	if text, ok := opts.Value("l"); ok {
		n, err := strconv.Atoi(text)
		switch {
		case err != nil || n < 0:
			return c.Fail("invalid length: '%s'", text)
		case kind != "blake2b":
			return c.Fail("--length is only supported with --algorithm=blake2b")
		case n%8 != 0:
			return c.Fail("invalid length: '%s'\n%s: length is not a multiple of 8", text, c.Name)
		case n > 512:
			return c.Fail("invalid length: '%s'\n%s: maximum digest length for 'BLAKE2b' is 512 bits", text, c.Name)
		case n > 0:
			s.bits = n
		}
	}
	if opts.Has("c") {
		if _, digest := algorithms[kind]; !digest && opts.Has("a") {
			return c.Fail("--check is not supported with --algorithm={bsd,sysv,crc}")
		}
		return s.check()
	}
	return s.print()
}

// Sum is the command sum.
func Sum(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Short: "rs", Long: "sysv=s", Usage: "[OPTION]... [FILE]..."})
	if done {
		return status
	}
	s := &summing{c: c, opts: opts, kind: "bsd", end: "\n"}
	if opts.Last("r", "s") == "s" {
		s.kind = "sysv"
	}
	return s.print()
}

func (s *summing) print() int {
	names := s.opts.Operands
	return s.c.Each(names, func(name string, in io.Reader) error {
		if len(names) == 0 {
			name = ""
		}
		if _, digest := algorithms[s.kind]; !digest {
			return s.short(name, in)
		}
		raw, err := s.digest(s.kind, s.bits, in)
		if err != nil {
			return err
		}
		if name == "" {
			name = "-"
		}
		text := hex.EncodeToString(raw)
		if s.opts.Has("base64") {
			text = base64.StdEncoding.EncodeToString(raw)
		}
		tagged := s.c.Name == "cksum" && !s.opts.Has("untagged") || s.opts.Has("tag")
		switch {
		case s.opts.Has("raw"):
			s.c.Out.Write(raw)
		case tagged:
			s.c.Out.WriteString(s.tag() + " (" + name + ") = " + text + s.end)
		default:
			s.c.Out.WriteString(text + "  " + name + s.end)
		}
		return nil
	})
}

func (s *summing) tag() string {
	if s.kind == "blake2b" && s.bits != 512 {
		return fmt.Sprintf("BLAKE2b-%d", s.bits)
	}
	return algorithms[s.kind].tag
}

func (s *summing) digest(kind string, bits int, in io.Reader) ([]byte, error) {
	digest, err := algorithms[kind].new(bits)
	if err == nil {
		_, err = io.Copy(digest, in)
	}
	if err != nil {
		return nil, err
	}
	return digest.Sum(nil), nil
}

// short prints the sums that are numbers: POSIX's CRC, BSD's and System V's.
func (s *summing) short(name string, in io.Reader) error {
	reader := bufio.NewReaderSize(in, 64<<10)
	crc, bsd, total := uint32(0), uint16(0), uint32(0)
	size := uint64(0)
	for {
		b, err := reader.ReadByte()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		size++
		crc = crc<<8 ^ posixCRC[byte(crc>>24)^b]
		bsd = bsd>>1 + bsd<<15 + uint16(b)
		total += uint32(b)
	}
	if name != "" {
		name = " " + name
	}
	switch s.kind {
	case "bsd":
		s.c.Out.Printf("%05d %5d%s%s", bsd, (size+1023)/1024, name, s.end)
	case "sysv":
		folded := total&0xffff + total>>16
		s.c.Out.Printf("%d %d%s%s", folded&0xffff+folded>>16, (size+511)/512, name, s.end)
	default:
		for n := size; n > 0; n >>= 8 {
			crc = crc<<8 ^ posixCRC[byte(crc>>24)^byte(n)]
		}
		s.c.Out.Printf("%d %d%s%s", ^crc, size, name, s.end)
	}
	return nil
}

// posixCRC is the table of cksum's polynomial 0x04C11DB7, most significant bit first.
var posixCRC = func() (table [256]uint32) {
	for i := range table {
		n := uint32(i) << 24
		for range 8 {
			n = n<<1 ^ 0x04C11DB7*(n>>31)
		}
		table[i] = n
	}
	return table
}()

var (
	taggedSum   = regexp.MustCompile(`^([A-Za-z0-9]+)(?:-(\d+))? \((.*)\) = ([0-9A-Za-z+/=]+)$`)
	untaggedSum = regexp.MustCompile(`^([0-9A-Fa-f]+) [ *](.*)$`)
)

// sumLine reads one line of a list of sums.
func (s *summing) sumLine(line string) (kind string, bits int, name, want string, ok bool) {
	if m := taggedSum.FindStringSubmatch(line); m != nil {
		kind, bits = strings.ToLower(m[1]), 512
		if m[2] != "" {
			bits, _ = strconv.Atoi(m[2])
		}
		_, known := algorithms[kind]
		return kind, bits, m[3], m[4], known && bits%8 == 0 && bits > 0 && bits <= 512 && (s.c.Name != "b2sum" || kind == "blake2b")
	}
	if m := untaggedSum.FindStringSubmatch(line); m != nil && s.kind != "crc" {
		return s.kind, len(m[1]) * 4, m[2], m[1], len(m[1])%2 == 0 && len(m[1]) <= 128
	}
	return "", 0, "", "", false
}
