"""Commands about models and the keys for them."""
