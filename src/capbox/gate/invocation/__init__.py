"""Functions of the embedding program as guests call them, through the gate like any other call."""
