"""Runs that are under way, as other processes of this user see and end them."""
