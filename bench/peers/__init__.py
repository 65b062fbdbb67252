"""Others that do the same work, measured in the same run: native commands and other sandboxes."""
