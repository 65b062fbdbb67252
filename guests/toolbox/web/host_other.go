//go:build !wasip1

package web

import "syscall"

// Outside the sandbox there is no host; tests bring their own.
var sender Host = absent{}

type absent struct{}

func (absent) Request([]byte, []byte) (uint32, []byte, error) { return 0, nil, syscall.ENOSYS }
func (absent) Read(uint32, []byte) (int, []byte, error)       { return 0, nil, syscall.ENOSYS }
func (absent) Close(uint32) error                             { return syscall.ENOSYS }
