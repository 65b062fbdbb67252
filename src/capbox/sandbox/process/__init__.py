"""The processes behind the sandbox, zygote and workers, and the frames they are spoken to in."""
