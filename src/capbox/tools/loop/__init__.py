"""Tools of the loop: they act in the host, for the conversation, and on nothing else."""
