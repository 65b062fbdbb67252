"""What capbox costs, measured in turns with `bash -c true`: `make bench`."""
