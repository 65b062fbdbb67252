#!/bin/bash
cat > df.txt <<'T'
/dev/sda1 100 91 9 91% /
/dev/sdb1 200 20 180 10% /data
T
awk -v max=80 '{ u = $5; sub(/%/, "", u); if (u + 0 > max) { print $6 " is at " $5; bad++ } } END { exit bad > 0 }' df.txt
echo "alarm $?"
