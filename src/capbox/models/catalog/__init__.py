"""What is known beforehand of providers and models, and what the operator adds to it."""
