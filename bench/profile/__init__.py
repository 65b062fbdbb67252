"""Where the time of one call goes: `python -m bench.profile read_1k|echo|gate`."""
