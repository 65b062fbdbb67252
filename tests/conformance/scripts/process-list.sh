#!/bin/bash
printf 'PID CPU CMD\n1 0.5 init\n42 93.2 worker --id 7\n43 12 worker --id 8\n' > ps.txt
tail -n +2 ps.txt | sort -k2,2nr | head -n 1 | while read -r pid cpu cmd; do echo "$pid uses $cpu: $cmd"; done
awk '/worker/ { n++; s += $2 } END { printf "%d workers %.1f\n", n, s }' ps.txt
