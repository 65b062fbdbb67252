#!/bin/bash
set -u
mkdir -p src/a
printf '// Copyright 2024 Demo\npackage a\n' > src/a/ok.go
printf 'package a\n' > src/a/bad.go
printf '// Copyright 2020 Demo\n' > src/main.go
missing=0
while IFS= read -r file; do
  if ! head -n 3 "$file" | grep -q 'Copyright [0-9]\{4\} Demo'; then
    echo "missing header: $file"
    missing=$((missing + 1))
  fi
done < <(find src -name '*.go' | sort)
echo "$missing missing"
[ "$missing" -eq 0 ] || exit 1
