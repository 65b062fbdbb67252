#!/bin/bash
cat > t.tpl <<'T'
Hello {{NAME}}, you are {{AGE}} years old.
{{NAME}} again.
T
NAME=Ann AGE=30
sed -e "s/{{NAME}}/$NAME/g" -e "s/{{AGE}}/$AGE/g" t.tpl > out.txt
cat out.txt; grep -o '{{[A-Z]*}}' t.tpl | sort -u
