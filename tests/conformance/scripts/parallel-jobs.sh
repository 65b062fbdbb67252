#!/bin/bash
work() { sleep 0.0$1; echo "$1" > "done.$1"; }
pids=()
for i in 3 1 2; do work $i & pids+=($!); done
for p in "${pids[@]}"; do wait "$p" || echo "failed"; done
cat done.* | tr '\n' ' '; echo
(exit 4) & wait $!; echo "status $?"
