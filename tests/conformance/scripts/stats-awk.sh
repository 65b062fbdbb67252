#!/bin/bash
printf '4\n8\n15\n16\n23\n42\n' > n.txt
awk '{ a[NR] = $1; s += $1; q += $1 * $1 } END { m = s / NR; printf "n=%d mean=%.2f sd=%.3f\n", NR, m, sqrt(q / NR - m * m) }' n.txt
sort -n n.txt | awk '{ v[NR] = $1 } END { print "median", (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
