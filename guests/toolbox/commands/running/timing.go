package running

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"capbox/toolbox/commands/kit"
)

// Time is the program `time`, which `env time` and `xargs time` start; the shell has a keyword of that name.
func Time(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "pvf:o:a", Long: "portability=p verbose=v format=f output=o append=a", Ordered: true, Usage: "[-p] COMMAND [ARG]...", Status: 125,
	})
	if done {
		return status
	}
	if key := opts.Last("v", "f", "o", "a"); key != "" {
		return c.Unsupported("-" + key + ": only how long a command took is known")
	}
	if len(opts.Operands) == 0 {
		return c.Usage(125, "missing operand")
	}
	start := time.Now()
	status = c.Run(opts.Operands, kit.Change{})
	// A command is a function in here: what it computes is not told apart from the rest of the script.
	fmt.Fprintf(c.Err(), "real %.2f\nuser 0.00\nsys 0.00\n", time.Since(start).Seconds())
	return status
}

// Timeout is the command timeout.
func Timeout(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "k:s:vf", Long: "kill-after=k signal=s verbose=v foreground=f preserve-status", Ordered: true, Status: 125,
		Usage: "[OPTION] DURATION COMMAND [ARG]...",
	})
	if done {
		return status
	}
	if len(opts.Operands) < 2 {
		return c.Usage(125, "missing operand")
	}
	limit, ok := duration(opts.Operands[0])
	if !ok {
		return c.Usage(125, "invalid time interval '%s'", opts.Operands[0])
	}
	if limit == 0 {
		return c.Run(opts.Operands[1:], kit.Change{})
	}
	ended := 124
	signal, ok := timeoutSignal(opts)
	switch {
	case !ok:
		text, _ := opts.Value("s")
		return c.Usage(125, "%s: invalid signal", text)
	case opts.Has("preserve-status") || signal == 9:
		ended = 128 + signal
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(c.Context, limit)
	defer cancel()
	result := make(chan int, 1)
	go func() { result <- c.Run(opts.Operands[1:], kit.Change{Context: ctx}) }()
	select {
	case status = <-result:
		// A wait for the host holds up the timer too: by the clock the time may be over before it says so.
		late := ctx.Err() != nil || !time.Now().Before(start.Add(limit))
		if late && c.Context.Err() == nil {
			return ended
		}
		return status
	case <-ctx.Done():
		return ended
	}
}

// timeoutSignal is the number of the signal that a real command would get: it is part of the status.
func timeoutSignal(opts *kit.Options) (int, bool) {
	text, ok := opts.Value("s")
	if !ok {
		return 15, true
	}
	if n, err := strconv.Atoi(text); err == nil {
		return n, n > 0 && n < 65
	}
	n, ok := map[string]int{
		"HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15,
	}[strings.TrimPrefix(strings.ToUpper(text), "SIG")]
	return n, ok
}

// Sleep is the command sleep.
func Sleep(c *kit.Call) int {
	if len(c.Args) == 0 {
		return c.Usage(1, "missing operand")
	}
	total := time.Duration(0)
	for _, arg := range c.Args {
		d, ok := duration(arg)
		if !ok {
			return c.Usage(1, "invalid time interval '%s'", arg)
		}
		total += d
	}
	c.Out.Flush()
	timer := time.NewTimer(total)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.Context.Done():
	}
	return 0
}

// duration reads 1.5, 2m, 3h, 1d, infinity.
func duration(text string) (time.Duration, bool) {
	if text == "infinity" || text == "inf" {
		return math.MaxInt64, true
	}
	unit := time.Second
	if text != "" {
		if at := strings.IndexByte("smhd", text[len(text)-1]); at >= 0 {
			unit = []time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}[at]
			text = text[:len(text)-1]
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || math.IsNaN(n) {
		return 0, false
	}
	if n*float64(unit) > math.MaxInt64/2 {
		return math.MaxInt64 / 2, true
	}
	return time.Duration(n * float64(unit)), true
}
