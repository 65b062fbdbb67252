#!/bin/bash
set -eu
printf 'print(1)\n' > a.py
printf '#!/usr/bin/env python\nprint(2)\n' > b.py
header='# SPDX-License-Identifier: MIT'
for f in *.py; do
  grep -qF "$header" "$f" && continue
  if head -n1 "$f" | grep -q '^#!'; then
    { head -n1 "$f"; echo "$header"; tail -n +2 "$f"; } > "$f.new"
  else
    { echo "$header"; cat "$f"; } > "$f.new"
  fi
  mv "$f.new" "$f"
done
head -n 3 a.py b.py
