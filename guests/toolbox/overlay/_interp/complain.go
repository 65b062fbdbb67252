package interp

import "strconv"

// complain reports an error in bash's words: the shell's name, the line, what and why.
func (r *Runner) complain(format string, a ...any) {
	r.errf(r.shellName()+": line "+strconv.Itoa(r.line)+": "+format+"\n", a...)
}

// failed is complain with an exit status.
func (r *Runner) failed(code uint8, format string, a ...any) exitStatus {
	r.complain(format, a...)
	return exitStatus{code: code}
}

// unsupported says that bash has this and the shell here has not.
func (r *Runner) unsupported(what string) exitStatus {
	return r.failed(2, "%s: not supported here", what)
}

// shellName is what bash calls itself in messages.
func (r *Runner) shellName() string {
	switch {
	case r.sourced != "":
		return r.sourced
	case r.filename == "":
		return "bash"
	}
	return r.filename
}

// discard gives up the line of the script that is being run: bash's answer to a failed expansion.
func (r *Runner) discard() {
	r.exit.code = 1
	r.exit.exiting = true
	r.discarding = true
}
