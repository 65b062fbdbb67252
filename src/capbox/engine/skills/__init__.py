"""Skills: texts on how to do one kind of task, in the open SKILL.md format."""
