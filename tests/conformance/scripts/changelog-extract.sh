#!/bin/bash
set -eu
cat > CHANGELOG.md <<'T'
# Changelog

## [1.2.0] - 2024-03-01
### Added
- colours
- a flag

## [1.1.0] - 2024-01-01
- first
T
version=1.2.0
awk -v v="$version" '
  $0 ~ "^## \\[" v "\\]" { on = 1; next }
  /^## / { on = 0 }
  on { print }
' CHANGELOG.md | sed -e '/./,$!d' > notes.md
echo "notes for $version: $(grep -c '^- ' notes.md) entries"
cat notes.md
