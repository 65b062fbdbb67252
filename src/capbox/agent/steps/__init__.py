"""What the loop does in the world: asks models, runs tools, waits, tells and pays."""
