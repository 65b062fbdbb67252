package shell

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"mvdan.cc/sh/v3/interp"

	"capbox/toolbox/abi"
	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// open serves the shell's redirections. Errors read as bash's.
func open(ctx context.Context, path string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	hc := interp.HandlerCtx(ctx)
	file, err := kit.OpenFile(hc.Dir, path, flag, perm, kit.Streams{In: hc.Stdin, Out: hc.Stdout, Err: hc.Stderr})
	if err != nil {
		return nil, &fs.PathError{Op: "bash:", Path: path, Err: errors.New(abi.Reason(err))}
	}
	return file, nil
}

func readDir(_ context.Context, path string) ([]fs.DirEntry, error) {
	return os.ReadDir(path)
}

func stat(_ context.Context, path string, follow bool) (fs.FileInfo, error) {
	if info, ok := kit.DeviceInfo(path); ok {
		return info, nil
	}
	if name, ok := virtualCommand(path); ok {
		return commandFile{name}, nil
	}
	if follow {
		return os.Stat(path)
	}
	return os.Lstat(path)
}

// access answers from the file's existence alone: what the host would refuse is known only when it refuses.
func access(_ context.Context, path string, mode interp.AccessMode) error {
	if _, ok := kit.DeviceInfo(path); ok {
		return nil
	}
	if _, ok := virtualCommand(path); ok {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if mode&interp.AccessExec != 0 && !info.IsDir() && !fileinfo.Executable(path) {
		return fs.ErrPermission
	}
	return nil
}
