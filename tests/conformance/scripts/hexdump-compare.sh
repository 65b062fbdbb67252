#!/bin/bash
printf '\x7fELF\x02\x01' > a; printf '\x7fELF\x01\x01' > b
cmp -l a b | awk '{ printf "%d: %s %s\n", $1, $2, $3 }'
[ "$(head -c4 a | od -An -tx1 | tr -d ' ')" = 7f454c46 ] && echo ELF
