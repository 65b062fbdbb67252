"""What one call may do and see: its mounts, its variables, and what it has read."""
