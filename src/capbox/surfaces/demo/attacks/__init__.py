"""The attacks, as data: what the model calls, and how one would see that it got through."""
