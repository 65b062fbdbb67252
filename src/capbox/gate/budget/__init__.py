"""What runs spend of their budgets: reserved before, settled after."""
