#!/bin/bash
touch -d 2024-01-02 a.src; touch -d 2024-01-01 a.bin; touch -d 2024-01-01 b.src; touch -d 2024-01-02 b.bin; touch c.src
for s in *.src; do b=${s%.src}.bin
  if [ ! -f "$b" ]; then echo "$b: missing"
  elif [ "$s" -nt "$b" ]; then echo "$b: stale"
  else echo "$b: fresh"; fi
done
