#!/bin/bash
cat > access.log <<'T'
10.0.0.1 - - [01/Mar/2024:10:00:01 +0000] "GET / HTTP/1.1" 200 512
10.0.0.2 - - [01/Mar/2024:10:00:05 +0000] "GET /x HTTP/1.1" 404 10
10.0.0.1 - - [01/Mar/2024:10:01:01 +0000] "POST /api HTTP/1.1" 500 0
10.0.0.3 - - [01/Mar/2024:11:00:01 +0000] "GET / HTTP/1.1" 200 512
T
echo "by status:"; awk '{ print $9 }' access.log | sort | uniq -c | sort -rn | awk '{ printf "%s %s\n", $2, $1 }'
echo "by client:"; cut -d' ' -f1 access.log | sort | uniq -c | sort -k1,1nr -k2 | head -n 2
echo "by hour:"; sed -E 's/.*\[[^:]*:([0-9]{2}):.*/\1/' access.log | uniq -c
awk '{ b += $10 } END { print "bytes", b }' access.log
grep -c '" 5[0-9][0-9] ' access.log
