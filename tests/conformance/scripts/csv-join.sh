#!/bin/bash
printf 'id,name\n1,ann\n2,bob\n3,eve\n' > users.csv
printf 'id,amount\n1,5\n3,7\n3,1\n' > orders.csv
join -t, <(tail -n +2 users.csv | sort -t, -k1,1) <(tail -n +2 orders.csv | sort -t, -k1,1) > joined.csv
cat joined.csv
join -t, -v1 <(tail -n +2 users.csv | sort) <(tail -n +2 orders.csv | sort) | cut -d, -f2
