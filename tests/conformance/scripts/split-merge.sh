#!/bin/bash
seq 1 25 > all; split -l 10 -d all part.; wc -l part.* | tail -n 1 | awk '{print $1}'
cat part.0? | cmp - all && echo rejoined
for p in part.*; do echo "$p $(head -n1 "$p")-$(tail -n1 "$p")"; done
