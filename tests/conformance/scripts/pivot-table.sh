#!/bin/bash
printf 'q1 a 1\nq1 b 2\nq2 a 3\nq2 b 4\n' | awk '
{ v[$1, $2] = $3; r[$1]; c[$2] }
END { printf "%-4s", ""; for (j = 97; j < 99; j++) printf "%4c", j; print ""
  for (i = 1; i <= 2; i++) { q = "q" i; printf "%-4s", q; for (j = 97; j < 99; j++) printf "%4d", v[q, sprintf("%c", j)]; print "" } }'
