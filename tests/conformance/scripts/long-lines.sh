#!/bin/bash
{ printf 'short\n'; printf 'x%.0s' {1..90}; echo; } > f.txt
awk 'length > 80 { printf "%s:%d: %d characters\n", FILENAME, FNR, length; bad = 1 } END { exit bad }' f.txt
echo "exit $?"
