#!/bin/bash
cat > t.txt <<'T'
The cat and the dog. The end!
T
tr -cs 'A-Za-z' '\n' < t.txt | tr 'A-Z' 'a-z' | sort | uniq -c | sort -k1,1nr -k2,2 | head -n 3 | sed 's/^ *//'
