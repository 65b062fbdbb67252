"""What leaves the parent for the network, and the secrets that only the parent adds to it."""
