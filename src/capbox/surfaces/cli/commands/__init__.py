"""One module a command; what is slow to import is imported when the command runs."""
