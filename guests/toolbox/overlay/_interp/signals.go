package interp

import (
	"slices"
	"strconv"
	"strings"
)

// signals are Linux's, by number.
var signals = []string{
	"EXIT", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
	"TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH",
	"IO", "PWR", "SYS",
}

// harmless signals do nothing to a process that does not handle them.
var harmless = map[string]bool{"CHLD": true, "CONT": true, "URG": true, "WINCH": true}

// stopping signals would halt a process; nothing here can be continued.
var stopping = map[string]bool{"STOP": true, "TSTP": true, "TTIN": true, "TTOU": true}

// signalName reads a name or a number; "" if there is no such signal.
func signalName(word string) string {
	if n, err := strconv.Atoi(word); err == nil {
		if n >= 0 && n < len(signals) {
			return signals[n]
		}
		return ""
	}
	name := strings.TrimPrefix(strings.ToUpper(word), "SIG")
	if slices.Contains(signals, name) || pseudoSignals[name] {
		return name
	}
	return ""
}

var pseudoSignals = map[string]bool{"ERR": true, "DEBUG": true, "RETURN": true}

// trapTitle is how `trap` prints a signal.
func trapTitle(name string) string {
	if name == "EXIT" || pseudoSignals[name] {
		return name
	}
	return "SIG" + name
}
