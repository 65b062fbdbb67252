package kit

import "strings"

// refusedStatus is what a command returns for an option that is known and not served here.
const refusedStatus = 2

// Refuse names the first given option of those that the command knows and does not serve. The second result says that
// there was one: the command is over, rather than doing something else than it was asked for.
func (c *Call) Refuse(opts *Options, keys ...string) (int, bool) {
	for _, one := range opts.List {
		for _, key := range keys {
			if one.Key == key {
				return c.Refused(key), true
			}
		}
	}
	return 0, false
}

// Refused says that an option of the original does not exist here.
func (c *Call) Refused(key string) int {
	return c.Unsupported(dashed(key))
}

// dashed is an option as it is written.
func dashed(key string) string {
	if len(key) > 1 {
		return "--" + key
	}
	return "-" + key
}

// Unsupported prints "name: not supported: what" and returns status 2.
func (c *Call) Unsupported(what ...string) int {
	c.Fail("not supported: %s", strings.Join(what, " "))
	return refusedStatus
}
