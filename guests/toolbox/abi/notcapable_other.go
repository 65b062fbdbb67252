//go:build !wasip1

package abi

import "syscall"

// notCapable does not exist outside WASI; no call returns this number.
const notCapable = syscall.Errno(1 << 20)
