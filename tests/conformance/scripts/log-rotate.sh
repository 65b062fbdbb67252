#!/bin/bash
set -e
for i in 1 2 3; do echo "run $i" > app.log
  for n in 3 2 1; do [ -f app.log.$n ] && mv app.log.$n app.log.$((n + 1)); done
  mv app.log app.log.1
done || true
ls; cat app.log.1 app.log.3
