#!/bin/bash
cat > sales.csv <<'T'
region,product,amount
north,pear,10.5
south,apple,3
north,apple,4.25
T
awk -F, 'NR > 1 { sum[$1] += $3; n[$1]++ } END { for (r in sum) printf "%s,%d,%.2f\n", r, n[r], sum[r] }' sales.csv | sort > report.csv
column -t -s, report.csv
awk -F, '{ t += $3 } END { print "total", t }' report.csv
