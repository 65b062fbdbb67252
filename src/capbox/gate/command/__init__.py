"""Foreign commands as tools: the words that start one."""
