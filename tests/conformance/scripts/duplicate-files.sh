#!/bin/bash
mkdir -p a b; echo same > a/1; echo same > b/2; echo other > b/3
find . -type f -exec md5sum {} + | sort | awk '{ n[$1]++; f[$1] = f[$1] " " $2 } END { for (h in n) if (n[h] > 1) print n[h] ":" f[h] }'
