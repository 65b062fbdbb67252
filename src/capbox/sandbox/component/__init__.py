"""Components (preview 2): read, linked from their core modules, and spoken to in typed values."""
