#!/bin/bash
set -euo pipefail
cat > pyproject.toml <<'T'
[project]
name = "demo"
version = "1.4.9"
T
part=${1:-minor}
current=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
IFS=. read -r major minor patch <<< "$current"
case $part in
  major) major=$((major + 1)); minor=0; patch=0 ;;
  minor) minor=$((minor + 1)); patch=0 ;;
  patch) patch=$((patch + 1)) ;;
  *) echo "unknown part: $part" >&2; exit 2 ;;
esac
next="$major.$minor.$patch"
sed -i "s/^version = .*/version = \"$next\"/" pyproject.toml
echo "$current -> $next"
grep '^version' pyproject.toml
