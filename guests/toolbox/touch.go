//go:build wasip1 && reactor

package main

import (
	"sync/atomic"
	"unsafe"
)

const (
	pageBytes = 4096
	pagesMax  = 510
	unused    = ^uint32(0)
)

// touched holds, behind two marks that guests/pages.py finds, the numbers of the pages of memory that the calls it
// rehearsed wrote. The host copies a page of the snapshot when it is first written, which takes longer than all that a
// short call does with it.
var touched = [2 + pagesMax]uint32{0x63617062, 0x6f782e70}

// reserve makes the list a run of bytes that are not zero: the snapshot holds no others.
func reserve() {
	for i := 2; i < len(touched); i++ {
		touched[i] = unused
	}
}

// touch writes to each page what it holds. A host that starts guests ahead of their requests has time for it.
func touch() {
	for _, number := range touched[2:] {
		if number == unused {
			return
		}
		// A plain store of what was just loaded would be optimised away.
		atomic.OrUint32((*uint32)(unsafe.Pointer(uintptr(number)*pageBytes)), 0)
	}
}
