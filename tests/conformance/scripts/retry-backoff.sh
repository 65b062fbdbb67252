#!/bin/bash
attempts=0
flaky() { attempts=$((attempts + 1)); [ $attempts -ge 3 ]; }
retry() {
  local max=$1 delay=0; shift
  for ((try = 1; try <= max; try++)); do
    "$@" && { echo "ok after $try"; return 0; }
    echo "try $try failed" >&2
    delay=$((2 ** try))
  done
  return 1
}
retry 5 flaky 2> errors
cat errors
attempts=-100; retry 2 flaky 2>/dev/null || echo "gave up: $?"
