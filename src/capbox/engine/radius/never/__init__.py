"""What must never be possible: the rules of a file, and whether a blast radius breaks them."""
