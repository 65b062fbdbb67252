#!/bin/bash
fib() { local a=0 b=1 t; for ((i = 0; i < $1; i++)); do printf '%d ' $a; t=$((a + b)); a=$b; b=$t; done; echo; }
fib 12
for ((n = 2; n < 30; n++)); do prime=1
  for ((d = 2; d * d <= n; d++)); do ((n % d == 0)) && { prime=0; break; }; done
  ((prime)) && printf '%d ' $n
done; echo
