#!/bin/bash
set -euo pipefail
echo 0.9.0 > VERSION; printf '## Unreleased\n- a\n- b\n' > CHANGELOG.md; mkdir -p src; echo 'v = "0.9.0"' > src/v.py
old=$(cat VERSION); new=$(echo "$old" | awk -F. -v OFS=. '{ $2++; $3 = 0; print }')
echo "$new" > VERSION
grep -rl --include='*.py' "$old" src | xargs sed -i "s/${old//./\\.}/$new/g"
sed -i "1s/.*/## $new/" CHANGELOG.md
notes=$(sed 1d CHANGELOG.md | sed 's/^- /* /')
printf 'release %s\n%s\n' "$new" "$notes"
cat src/v.py
