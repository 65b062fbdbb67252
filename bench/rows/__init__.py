"""What is measured: each module has functions that return rows by name."""
