#!/bin/bash
printf 'src/a.py 100 10 90%%\nsrc/b.py 50 25 50%%\nTOTAL 150 35 77%%\n' > cov.txt
total=$(awk '/^TOTAL/ { sub("%", "", $4); print $4 }' cov.txt)
[ "$total" -ge 80 ] && echo enough || echo "coverage $total is below 80"
sort -t' ' -k4,4n cov.txt | grep -v TOTAL | head -n1 | cut -d' ' -f1,4
