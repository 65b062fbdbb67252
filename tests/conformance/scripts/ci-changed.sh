#!/bin/bash
cat > changed.txt <<'T'
src/app/main.py
docs/index.md
tests/test_main.py
src/lib/x.py
T
sections=$(sed -E 's#/.*##' changed.txt | sort -u | paste -sd, -)
echo "sections: $sections"
if grep -qvE '^docs/' changed.txt; then echo 'run tests'; else echo 'docs only'; fi
grep '\.py$' changed.txt | xargs -n1 dirname | sort | uniq -c | awk '{print $2 ": " $1}'
