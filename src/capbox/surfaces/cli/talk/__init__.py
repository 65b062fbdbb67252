"""What a model and the person say to each other at a terminal."""
