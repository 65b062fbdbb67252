// Package commands is what a script can run: each command is a Go function over one Call. Names, flags, messages and
// exit codes follow the GNU tools where scripts look.
//
// It guarantees that a command reaches files only through the system calls the host judges, and never starts a
// process. It does not interpret shell syntax.
package commands

import (
	"maps"
	"slices"

	"capbox/toolbox/commands/awk"
	"capbox/toolbox/commands/calculator"
	"capbox/toolbox/commands/checksums"
	"capbox/toolbox/commands/compare"
	"capbox/toolbox/commands/compress"
	"capbox/toolbox/commands/dump"
	"capbox/toolbox/commands/fields"
	"capbox/toolbox/commands/filekind"
	"capbox/toolbox/commands/files"
	"capbox/toolbox/commands/jq"
	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/listing"
	"capbox/toolbox/commands/machine"
	"capbox/toolbox/commands/network"
	"capbox/toolbox/commands/numbers"
	"capbox/toolbox/commands/patch"
	"capbox/toolbox/commands/paths"
	"capbox/toolbox/commands/reading"
	"capbox/toolbox/commands/running"
	"capbox/toolbox/commands/search"
	"capbox/toolbox/commands/sed"
	"capbox/toolbox/commands/sorting"
	"capbox/toolbox/commands/tar"
	"capbox/toolbox/commands/text"
	"capbox/toolbox/commands/zip"
)

// Find is the command of that name, or nil.
func Find(name string) kit.Command { return table[name] }

// Names are all commands, sorted.
func Names() []string { return slices.Sorted(maps.Keys(table)) }

// table is every command. None refers to it: a command runs another through Call.Run.
var table = map[string]kit.Command{
	"awk": awk.Command, "gawk": awk.Command,
	"bc": calculator.Bc, "dc": calculator.Dc,
	"b2sum": checksums.Cksum, "base64": checksums.Base64, "cksum": checksums.Cksum, "md5sum": checksums.Checksum,
	"sha1sum": checksums.Checksum, "sha224sum": checksums.Checksum, "sha256sum": checksums.Checksum,
	"sha384sum": checksums.Checksum, "sha512sum": checksums.Checksum, "sum": checksums.Sum,
	"cmp": compare.Cmp, "diff": compare.Diff,
	"bunzip2": compress.Compress, "bzcat": compress.Compress, "bzip2": compress.Compress, "gunzip": compress.Compress,
	"gzip": compress.Compress, "unxz": compress.Compress, "xz": compress.Compress, "xzcat": compress.Compress,
	"zcat": compress.Compress,
	"hd":   dump.Hexdump, "hexdump": dump.Hexdump, "od": dump.Od, "strings": dump.Strings, "xxd": dump.Xxd,
	"column": fields.Column, "comm": fields.Comm, "cut": fields.Cut, "join": fields.Join, "paste": fields.Paste,
	"file":  filekind.File,
	"chmod": files.Chmod, "cp": files.Cp, "install": files.Install, "link": files.Link, "ln": files.Ln,
	"mkdir": files.Mkdir, "mktemp": files.Mktemp, "mv": files.Mv, "rm": files.Rm, "rmdir": files.Rmdir,
	"sync": files.Sync, "tee": files.Tee, "touch": files.Touch, "truncate": files.Truncate, "unlink": files.Unlink,
	"jq": jq.Command,
	"du": listing.Du, "ls": listing.Ls, "stat": listing.Stat, "tree": listing.Tree,
	"arch": machine.Fixed("wasm32"), "date": machine.Date, "df": machine.Refused(machine.NoDisks),
	"getconf": machine.Getconf, "groups": machine.Groups, "hostname": machine.Fixed("capbox"), "id": machine.ID,
	"logname": machine.Logname, "nproc": machine.Fixed("1"), "stty": machine.Refused(machine.NoTerminal),
	"tput": machine.Refused(machine.NoTerminal), "tty": machine.Tty, "uname": machine.Uname,
	"users": machine.Refused(machine.NoSessions), "who": machine.Refused(machine.NoSessions),
	"whoami": machine.Fixed("user"),
	"curl":   network.Curl, "wget": network.Wget,
	"expr": numbers.Expr, "factor": numbers.Factor, "numfmt": numbers.Numfmt, "seq": numbers.Seq,
	"patch":    patch.Patch,
	"basename": paths.Basename, "dirname": paths.Dirname, "pathchk": paths.Pathchk, "readlink": paths.Readlink,
	"realpath": paths.Realpath,
	"cat":      reading.Cat, "head": reading.Head, "less": reading.Pager, "more": reading.Pager, "nl": reading.Nl,
	"rev": reading.Rev, "tac": reading.Tac, "tail": reading.Tail, "wc": reading.Wc,
	"env": running.Env, "getopt": running.Getopt, "invoke": running.Invoke, "nice": running.Nice, "nohup": running.Nohup, "printenv": running.Printenv,
	"sleep": running.Sleep, "stdbuf": running.Stdbuf, "time": running.Time, "timeout": running.Timeout,
	"xargs": running.Xargs, "yes": running.Yes,
	"egrep": search.Grep, "fgrep": search.Grep, "find": search.Find, "grep": search.Grep, "look": search.Look,
	"which": search.Which,
	"sed":   sed.Command,
	"shuf":  sorting.Shuf, "sort": sorting.Sort, "tsort": sorting.Tsort, "uniq": sorting.Uniq,
	"tar":    tar.Tar,
	"csplit": text.Csplit, "dos2unix": text.Dos2unix, "envsubst": text.Envsubst, "expand": text.Expand,
	"fmt": text.Fmt, "fold": text.Fold, "iconv": text.Iconv, "split": text.Split, "tr": text.Tr,
	"unexpand": text.Unexpand, "unix2dos": text.Unix2dos,
	"unzip": zip.Unzip, "zip": zip.Zip,
}
