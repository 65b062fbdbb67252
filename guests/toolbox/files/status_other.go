//go:build !wasip1

package files

import "io/fs"

func isRegular(info fs.FileInfo) bool { return info.Mode().IsRegular() }
