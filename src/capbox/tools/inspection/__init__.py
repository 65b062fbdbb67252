"""What a WebAssembly file says of itself, read without running or compiling it."""
