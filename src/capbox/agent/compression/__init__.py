"""A conversation that nears the window of its model is summed up, and goes on."""
