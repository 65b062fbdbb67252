"""WASI 0.2 for components: every function of it ends in one of our preview 1 host, or refuses."""
