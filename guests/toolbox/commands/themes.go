package commands

// theme is one group of commands in what `help` lists: a line holds a name and what the command does.
type theme struct{ title, commands string }

// themes name every command. A name that is not in the table is not shown.
var themes = []theme{
	{"read", `
		cat       concatenate files to standard output
		tac       print the lines of files, last first
		head      print the first part of files
		tail      print the last part of files
		less      print files (there is no terminal to page on)
		more      print files (there is no terminal to page on)
		nl        number the lines of files
		od        dump files in octal and other formats
		hexdump   dump files in hexadecimal and other formats
		hd        dump files in hexadecimal and ASCII
		xxd       dump files in hexadecimal, or turn such a dump back
		strings   print the printable strings in files
		wc        count lines, words and bytes
	`},
	{"search", `
		grep      print the lines that match a pattern
		egrep     print the lines that match an extended pattern
		fgrep     print the lines that contain a text
		zgrep     print the lines of compressed files that match
		find      search for files in a directory tree
		look      print the lines that begin with a text, in sorted files
		which     print the path of a command
		file      tell what kind files are of, by their content
	`},
	{"text", `
		awk       run an AWK program over lines and fields
		gawk      run an AWK program over lines and fields
		sed       edit a stream of lines
		cut       print parts of lines
		tr        translate or delete characters
		sort      sort lines
		uniq      drop or count repeated lines
		comm      compare two sorted files line by line
		join      join the lines of two files on a field
		paste     merge the lines of files
		column    align text in columns
		fmt       fill paragraphs
		fold      wrap long lines
		pr        format files for printing
		expand    turn tabs into blanks
		unexpand  turn blanks into tabs
		rev       reverse the characters of lines
		shuf      shuffle lines
		tsort     sort words topologically
		split     split a file into pieces
		csplit    split a file where lines match
		envsubst  replace $NAME by the value of environment variables
		iconv     convert a text from one encoding to another
		dos2unix  turn CRLF line ends into LF
		unix2dos  turn LF line ends into CRLF
		jq        run a filter over JSON
		yq        run a filter over YAML
	`},
	{"compare", `
		diff      compare files line by line
		diff3     compare three files line by line
		sdiff     compare two files side by side
		cmp       compare files byte by byte
		patch     apply a diff to files
	`},
	{"files", `
		ls        list directories
		dir       list directories
		tree      list directories as a tree
		stat      print what is known of files
		du        sum what files take
		cp        copy files
		mv        move or rename files
		rm        remove files
		ln        make links
		link      make a hard link
		unlink    remove one file
		install   copy files and set their mode
		mkdir     make directories
		rmdir     remove empty directories
		mktemp    make a temporary file or directory
		touch     set the time of files, or make them
		truncate  set the size of files
		chmod     change the mode of files
		chown     change the owner of files
		chgrp     change the group of files
		readlink  print where links point
		realpath  print paths without links
		basename  print the last part of paths
		dirname   print paths without their last part
		pathchk   check whether names are portable
		dd        copy and convert bytes
		tee       copy standard input to files and standard output
		sync      pass written files on to the disk
		df        tell the space on disks (not known here)
	`},
	{"archives", `
		tar       pack and unpack archives
		gzip      compress files
		gunzip    uncompress files
		zcat      print compressed files
		bzip2     compress files
		bunzip2   uncompress files
		bzcat     print compressed files
		xz        compress files
		unxz      uncompress files
		xzcat     print compressed files
		zstd      compress files
		unzstd    uncompress files
		zstdcat   print compressed files
		zip       pack ZIP archives
		unzip     unpack ZIP archives
		cpio      pack and unpack archives
		ar        pack and unpack archives
	`},
	{"checksums", `
		cksum     print or check checksums
		sum       print the 16-bit checksum of files
		md5sum    print or check MD5 sums
		sha1sum   print or check SHA-1 sums
		sha224sum print or check SHA-224 sums
		sha256sum print or check SHA-256 sums
		sha384sum print or check SHA-384 sums
		sha512sum print or check SHA-512 sums
		b2sum     print or check BLAKE2b sums
		base32    encode or decode base32
		base64    encode or decode base64
		basenc    encode or decode in several bases
	`},
	{"numbers", `
		bc        calculate with exact decimals
		dc        calculate with exact decimals, in reverse Polish notation
		expr      evaluate an expression
		factor    print prime factors
		numfmt    convert numbers from and to K, M, G
		seq       print a sequence of numbers
	`},
	{"network", `
		curl      send a request and print or save the answer
		wget      save what URLs lead to
	`},
	{"running", `
		xargs     run a command with words from standard input
		env       run a command in a changed environment
		printenv  print environment variables
		timeout   run a command for a limited time
		time      run a command and tell how long it took
		nohup     run a command
		nice      run a command
		stdbuf    run a command
		sleep     wait
		yes       print a line for ever
		getopt    parse the options of a script
		invoke    call a function of the program that runs this
		help      list the commands, or explain one
	`},
	{"machine", `
		date      print or parse dates
		cal       print a calendar
		uname     print the name of the system
		arch      print the name of the machine
		hostname  print the name of the host
		nproc     print the number of processors
		getconf   print system limits
		id        print user and group
		whoami    print the name of the user
		logname   print the login name
		groups    print the groups of the user
		users     print who is logged in (nobody logs in here)
		who       print who is logged in (nobody logs in here)
		tty       tell whether standard input is a terminal
		stty      change the terminal (there is none)
		tput      control the terminal (there is none)
	`},
}

// usages are the synopses of the commands that read their arguments without a Spec.
var usages = map[string]string{
	"arch": "", "find": findUsage, "expr": "EXPRESSION", "groups": "[USER]...", "hostname": "", "id": "[-u|-g|-G] [-n]", "logname": "",
	"nohup": "COMMAND [ARG]...", "nproc": "", "printenv": "[NAME]...", "seq": "[-w] [-f FORMAT] [-s STRING] [FIRST [STEP]] LAST",
	"sleep": "NUMBER[smhd]...", "stty": "[SETTING]...",
	"sync": "[FILE]...", "tput": "CAPABILITY [PARAMETER]...", "users": "", "which": "NAME...", "who": "", "df": "",
	"whoami": "", "yes": "[STRING]...", "time": "[-p] COMMAND [ARG]...",
}

const findUsage = `[-H] [-L] [-P] [PATH]... [EXPRESSION]
tests:    -name -iname -path -ipath -wholename -regex -iregex -type -size -empty -newer -mtime -mmin -perm -links -lname -samefile
options:  -maxdepth -mindepth -depth -xdev -mount -regextype -daystart
actions:  -print -print0 -printf -ls -delete -prune -quit -exec -execdir -ok
joined:   ( ) ! -not -a -and -o -or ,`
