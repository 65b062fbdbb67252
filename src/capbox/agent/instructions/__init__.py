"""What a model is told before the task: the parts of the system prompt, and how they are joined."""
