"""Everything that touches pydantic-ai and the providers' SDKs; only `direct` imports it, lazily."""
