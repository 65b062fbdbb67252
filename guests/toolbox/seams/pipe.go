package seams

import (
	"io"
	"sync"
)

// pipeBytes is what Linux buffers in a pipe.
const pipeBytes = 64 << 10

// pipe is a bounded in-process byte queue.
type pipe struct {
	mu           sync.Mutex
	changed      sync.Cond
	held         []byte
	start        int
	writerClosed bool
	readerClosed bool
	broken       bool
}

// PipeReader is the read end. Close makes later writes fail.
type PipeReader struct{ *pipe }

// PipeWriter is the write end. Close lets the reader see the end after what is held.
type PipeWriter struct{ *pipe }

// Pipe returns the two ends of a new pipe; a write fails with io.ErrClosedPipe once the read end is closed.
func Pipe() (*PipeReader, *PipeWriter) {
	p := &pipe{}
	p.changed.L = &p.mu
	return &PipeReader{p}, &PipeWriter{p}
}

// Read waits for at least one byte, or the end.
func (r *PipeReader) Read(into []byte) (int, error) {
	p := r.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.start == len(p.held) {
		if p.writerClosed || p.readerClosed {
			return 0, io.EOF
		}
		p.changed.Wait()
	}
	n := copy(into, p.held[p.start:])
	p.start += n
	if p.start == len(p.held) {
		p.held, p.start = p.held[:0], 0
	}
	p.changed.Broadcast()
	return n, nil
}

// Close ends reading.
func (r *PipeReader) Close() error {
	p := r.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readerClosed = true
	p.held, p.start = nil, 0
	p.changed.Broadcast()
	return nil
}

// Write waits for room; it returns io.ErrClosedPipe when the reader is gone.
func (w *PipeWriter) Write(from []byte) (int, error) {
	p := w.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	written := 0
	for len(from) > 0 {
		if p.readerClosed || p.writerClosed {
			p.broken = true
			return written, io.ErrClosedPipe
		}
		room := pipeBytes - (len(p.held) - p.start)
		if room <= 0 {
			p.changed.Wait()
			continue
		}
		n := min(room, len(from))
		p.compact(n)
		p.held = append(p.held, from[:n]...)
		from = from[n:]
		written += n
		p.changed.Broadcast()
	}
	return written, nil
}

// compact moves what is held to the front when appending n bytes would grow the buffer.
func (p *pipe) compact(n int) {
	if p.start > 0 && len(p.held)+n > cap(p.held) {
		p.held = p.held[:copy(p.held, p.held[p.start:])]
		p.start = 0
	}
}

// Close ends writing.
func (w *PipeWriter) Close() error {
	p := w.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writerClosed = true
	p.changed.Broadcast()
	return nil
}

// Broken says whether a write failed because the reader is gone.
func (w *PipeWriter) Broken() bool {
	p := w.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken
}
