"""The blast radius: what the worst model could do with an authority, counted before it runs."""
