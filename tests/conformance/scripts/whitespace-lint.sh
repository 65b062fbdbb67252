#!/bin/bash
printf 'good\nbad  \n\ttab\n' > a.txt; printf 'no newline' > b.txt
status=0
for f in a.txt b.txt; do
  grep -nE '[[:space:]]+$' "$f" | sed "s/^/$f:/;s/:bad.*/: trailing blanks/" && status=1
  [ -z "$(tail -c1 "$f")" ] || { echo "$f: no newline at the end"; status=1; }
  grep -c "$(printf '\t')" "$f" | sed "s/^/$f tabs: /"
done
exit $status
