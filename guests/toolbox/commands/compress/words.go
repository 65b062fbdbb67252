package compress

import (
	"errors"
	"io"

	"capbox/toolbox/abi"
	"capbox/toolbox/commands/archive"
)

// squeezeWords are the messages of one format's own program.
type squeezeWords struct {
	directory, link, suffixed, exists, unknown string
	format, end, corrupt, checksum, memory     string
}

var squeezeMessages = map[*archive.Codec]squeezeWords{
	archive.Gzip: {
		directory: "%s is a directory -- ignored", link: "%s: Too many levels of symbolic links",
		suffixed: "%s already has %s suffix -- unchanged", exists: "%s already exists;\tnot overwritten",
		unknown: "%s: unknown suffix -- ignored",
		format:  "not in gzip format", end: "unexpected end of file", corrupt: "invalid compressed data--format violated",
		checksum: "invalid compressed data--crc error", memory: "memory limit reached",
	},
	archive.Bzip2: {
		directory: "Input file %s is a directory.", link: "Input file %s is not a normal file.",
		suffixed: "Input file %s already has %s suffix.", exists: "Output file %s already exists.",
		unknown: "Can't guess original name for %s -- using %[1]s.out",
		format:  "is not a bzip2 file.", end: "Compressed file ends unexpectedly", corrupt: "data integrity error in data",
		checksum: "data integrity (CRC) error in data", memory: "memory limit reached",
	},
	archive.Xz: {
		directory: "%s: Is a directory, skipping", link: "%s: Is a symbolic link, skipping",
		suffixed: "%s: File already has `%s' suffix, skipping", exists: "%s: File exists",
		unknown: "%s: Filename has an unknown suffix, skipping",
		format:  "File format not recognized", end: "Unexpected end of input", corrupt: "Compressed data is corrupt",
		checksum: "Compressed data is corrupt", memory: "Memory usage limit reached",
	},
}

func (s *squeeze) words() squeezeWords { return squeezeMessages[s.codec] }

// StdinName is what a format's program calls its standard input.
func StdinName(codec *archive.Codec) string {
	if codec == archive.Gzip {
		return "stdin"
	}
	return "(stdin)"
}

// Complain is what a format's program says about a stream that is broken.
func Complain(codec *archive.Codec, program, name string, err error) string {
	switch {
	case codec == archive.Gzip && isDamage(err):
		program = "\n" + program
	case codec == archive.Bzip2 && errors.Is(err, archive.ErrFormat):
		return program + ": " + name + " is not a bzip2 file.\n"
	}
	return program + ": " + name + ": " + codecReason(codec, err) + "\n"
}

// isDamage says whether the stream is broken, rather than its file not readable.
func isDamage(err error) bool {
	for _, one := range []error{archive.ErrFormat, archive.ErrCorrupt, archive.ErrChecksum, io.ErrUnexpectedEOF} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

// codecReason says what is wrong with a stream in the words of the format's own program.
func codecReason(codec *archive.Codec, err error) string {
	words := squeezeMessages[codec]
	for _, one := range []struct {
		kind error
		text string
	}{
		{archive.ErrFormat, words.format}, {io.ErrUnexpectedEOF, words.end}, {archive.ErrCorrupt, words.corrupt},
		{archive.ErrChecksum, words.checksum}, {archive.ErrTooBig, words.memory},
	} {
		if errors.Is(err, one.kind) {
			return one.text
		}
	}
	return abi.Reason(err)
}
