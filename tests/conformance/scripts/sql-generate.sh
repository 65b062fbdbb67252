#!/bin/bash
printf "id,name\n1,ann\n2,o'neil\n" > u.csv
tail -n +2 u.csv | while IFS=, read -r id name; do
  printf "INSERT INTO users VALUES (%d, '%s');\n" "$id" "${name//\'/\'\'}"
done | tee u.sql | wc -l
cat u.sql
