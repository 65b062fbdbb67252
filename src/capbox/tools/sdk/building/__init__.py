"""From source to a WebAssembly module: which programs do it, and how they are called."""
