#!/bin/bash
printf 'name,age\nann,30\nbob,25\n' > p.csv
{
  read -r head
  IFS=, read -ra keys <<< "$head"
  echo '['
  first=1
  while IFS=, read -ra row; do
    [ $first = 1 ] || echo ','
    first=0
    printf '  {"%s": "%s", "%s": %s}' "${keys[0]}" "${row[0]}" "${keys[1]}" "${row[1]}"
  done
  echo; echo ']'
} < p.csv > p.json
jq -r '.[] | "\(.name) is \(.age)"' p.json
