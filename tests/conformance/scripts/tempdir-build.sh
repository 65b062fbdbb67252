#!/bin/bash
set -e
mkdir src; printf 'one\n' > src/a.in; printf 'two\n' > src/b.in
for f in src/*.in; do
  out=build/$(basename "${f%.in}").out
  mkdir -p "$(dirname "$out")"
  if [ ! -e "$out" ] || [ "$f" -nt "$out" ]; then tr a-z A-Z < "$f" > "$out"; echo "built $out"; fi
done
cat build/*
