#!/bin/bash
newer() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | tail -n 1)" = "$1" ] && [ "$1" != "$2" ]; }
for pair in '1.10.0 1.9.9' '1.2.3 1.2.3' '2.0.0 10.0.0'; do
  set -- $pair
  if newer "$1" "$2"; then echo "$1 > $2"; else echo "$1 <= $2"; fi
done
