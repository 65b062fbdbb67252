"""Commands about what is under way: which runs, what they hold, who answers, and their end."""
