// Package commands is what a script can run: each command is a Go function over one Call. Names, flags, messages and
// exit codes follow the GNU tools where scripts look.
//
// It guarantees that a command reaches files only through the system calls the host judges, and never starts a
// process. It does not interpret shell syntax.
package commands

import (
	"maps"
	"slices"
)

// Find is the command of that name, or nil.
func Find(name string) Command { return table[name] }

// Names are all commands, sorted.
func Names() []string { return slices.Sorted(maps.Keys(table)) }

// table is every command. None refers to it: a command runs another through Call.Run.
var table = map[string]Command{
	"bunzip2": compress, "bzcat": compress, "bzip2": compress, "gunzip": compress, "gzip": compress, "tar": tar,
	"unxz": compress, "unzip": unzip, "xz": compress, "xzcat": compress, "zcat": compress, "zip": zip,
	"awk": awk, "base64": base64Command, "basename": basename, "cat": cat, "chmod": chmod, "cmp": cmpFiles,
	"column": column, "comm": comm, "cp": cp, "cut": cut, "date": date, "diff": diff, "dirname": dirname, "du": du,
	"egrep": grep, "env": env, "expand": expand, "expr": expr, "fgrep": grep, "find": find, "fmt": formatText,
	"fold": fold, "gawk": awk, "grep": grep, "head": head, "hostname": fixed("capbox"), "id": id, "join": join,
	"jq": jq, "ln": ln, "ls": ls, "md5sum": checksum, "mkdir": mkdir, "mktemp": mktemp, "mv": mv, "nl": nl,
	"nohup": prefixCommand, "nproc": fixed("1"), "od": od, "paste": paste, "printenv": printenv,
	"readlink": readlink, "realpath": realpath, "rev": rev, "rm": rm, "rmdir": rmdir, "sed": sed, "seq": seq,
	"sha1sum": checksum, "sha224sum": checksum, "sha256sum": checksum, "sha384sum": checksum, "sha512sum": checksum,
	"shuf": shuf, "sleep": sleep, "sort": sortLines, "split": split, "stat": stat, "stdbuf": prefixCommand,
	"tac": tac, "tail": tail, "tee": tee, "timeout": timeout, "touch": touch, "tr": tr, "tree": tree, "uname": uname,
	"uniq": uniq, "wc": wc, "which": which, "whoami": fixed("user"), "xargs": xargs, "xxd": xxd, "yes": yes,
	"bc": bc, "dc": dc,
	"patch":   patch,
	"file":    file,
	"hexdump": hexdump, "hd": hexdump, "strings": printableStrings, "iconv": iconv, "dos2unix": dos2unix,
	"unix2dos": unix2dos, "cksum": cksum, "sum": sum, "b2sum": cksum,
	"csplit": csplit, "df": refused(noDisks), "envsubst": envsubst, "factor": factor, "getconf": getconf,
	"getopt": getopt, "groups": groups, "arch": fixed("wasm32"), "install": install, "less": pager, "link": linkCommand,
	"logname": logname, "look": look, "more": pager, "numfmt": numfmt, "pathchk": pathchk, "stty": refused(noTerminal),
	"sync": syncFiles, "time": timeCommand, "tput": refused(noTerminal), "truncate": truncate, "tsort": tsort,
	"tty": tty, "unexpand": unexpand, "unlink": unlink, "users": refused(noSessions), "who": refused(noSessions),
}
