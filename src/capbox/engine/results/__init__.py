"""What tools returned, kept for the tools of the same run."""
