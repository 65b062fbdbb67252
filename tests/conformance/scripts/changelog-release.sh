#!/bin/bash
set -eu
printf '# Changes\n\n## Unreleased\n\n- new thing\n\n## 0.9.0\n\n- old\n' > CHANGES.md
today=2024-05-06
awk -v d="$today" '/^## Unreleased/ { print; print ""; print "## 1.0.0 (" d ")"; next } { print }' CHANGES.md > t && mv t CHANGES.md
sed -n '/^## /p' CHANGES.md
