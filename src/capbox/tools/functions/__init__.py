"""Functions of the embedding program as tools: their schema from hints, and what runs them."""
