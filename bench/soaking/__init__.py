"""Mixed random calls for hours, judged against a model: `python -m bench.soak --minutes 120`."""
