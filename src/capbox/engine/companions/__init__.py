"""What goes beside each run of a session: the tools of its loop, hooks, and who is told of it."""
