#!/bin/bash
mkdir docs; printf 'See [a](a.md), [b](missing.md) and [web](https://x.org).\n' > docs/i.md; touch docs/a.md
status=0
for f in docs/*.md; do
  grep -oE '\]\([^)]+\)' "$f" | sed 's/^](//; s/)$//' | grep -v '^http' | while read -r link; do
    [ -e "$(dirname "$f")/$link" ] && echo "ok $link" || echo "broken $link"
  done
done | tee report
grep -q broken report && exit 1
