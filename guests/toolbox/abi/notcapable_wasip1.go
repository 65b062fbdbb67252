package abi

import "syscall"

// notCapable is WASI preview 1's ENOTCAPABLE, which Go's wasip1 port names but does not map to ErrPermission.
const notCapable = syscall.Errno(76)
