#!/bin/bash
cat > README.md <<'T'
# Title
## Getting started
text
### Install it
## Use & more
T
grep -E '^#{2,3} ' README.md | while read -r hashes title; do
  slug=$(echo "$title" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9-')
  printf '%*s- [%s](#%s)\n' $(( (${#hashes} - 2) * 2 )) '' "$title" "$slug"
done
