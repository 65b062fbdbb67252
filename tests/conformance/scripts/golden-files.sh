#!/bin/bash
mkdir want got; printf 'a\nb\n' > want/1; printf 'a\nb\n' > got/1; printf 'x\n' > want/2; printf 'y\n' > got/2
for f in want/*; do name=${f##*/}
  if d=$(diff -u --label want --label got "$f" "got/$name"); then echo "$name same"; else echo "$name differs"; echo "$d"; fi
done
