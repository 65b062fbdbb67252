#!/bin/bash
mkdir t; echo 'exit 0' > t/ok.sh; echo 'echo oops; exit 1' > t/fail.sh; echo 'exit 77' > t/skip.sh
pass=0 fail=0 skip=0
for t in t/*.sh; do
  out=$(bash "$t" 2>&1); code=$?
  case $code in 0) pass=$((pass + 1)); r=PASS ;; 77) skip=$((skip + 1)); r=SKIP ;; *) fail=$((fail + 1)); r=FAIL ;; esac
  echo "$r ${t##*/}${out:+ ($out)}"
done
echo "$pass passed, $fail failed, $skip skipped"; exit $((fail > 0))
