"""The Model seam and what stands behind it: provider adapter, scripted model, pricing."""
