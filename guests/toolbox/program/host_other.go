//go:build !wasip1

package program

import "syscall"

// Outside the sandbox there is no host; tests bring their own.
var caller Host = absent{}

type absent struct{}

func (absent) Call(string, []byte) ([]byte, error) { return nil, syscall.ENOSYS }
func (absent) List() ([]byte, error)               { return nil, syscall.ENOSYS }
