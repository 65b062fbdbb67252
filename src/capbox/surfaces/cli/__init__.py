"""The `capbox` command line: starts calls and runs, shows what they do, decides nothing."""
