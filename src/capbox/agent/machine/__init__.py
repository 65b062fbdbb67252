"""The loop as a pure state machine: what came, and what is to be done because of it."""
