"""Tools in JavaScript: one documented function, and the engine that carries its modules."""
