#!/bin/bash
declare -A a=([0,0]=1 [0,1]=2 [1,0]=3 [1,1]=4) b=([0,0]=5 [0,1]=6 [1,0]=7 [1,1]=8)
for i in 0 1; do for j in 0 1; do
  s=0; for k in 0 1; do s=$((s + ${a[$i,$k]} * ${b[$k,$j]})); done
  printf '%d ' $s
done; echo; done
