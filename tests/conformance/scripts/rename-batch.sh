#!/bin/bash
touch 'IMG 001.JPG' 'IMG 002.jpg' notes.txt
n=0
for f in IMG*; do
  [ -e "$f" ] || continue
  n=$((n + 1))
  ext=$(echo "${f##*.}" | tr 'A-Z' 'a-z')
  mv -- "$f" "$(printf 'photo-%02d.%s' $n "$ext")"
done
ls
