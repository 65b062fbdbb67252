"""The flags of the command line: what each says, which go together, and the settings they make."""
