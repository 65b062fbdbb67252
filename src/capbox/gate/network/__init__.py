"""The gate before the network: what each request of a call needs, and what goes with it."""
