"""`capbox demo`: a helpful task, then a hostile model, each of its attacks tried on two targets."""
