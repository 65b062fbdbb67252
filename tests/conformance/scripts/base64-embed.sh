#!/bin/bash
printf 'payload line\n' > p.txt
{ echo 'decode() { sed "1,/^__DATA__$/d" "$1" | base64 -d; }'; echo 'decode "$0"; exit'; echo __DATA__; base64 p.txt; } > self.sh
bash self.sh | cmp - p.txt && echo 'same payload'
