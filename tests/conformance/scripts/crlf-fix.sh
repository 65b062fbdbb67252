#!/bin/bash
printf 'a\r\nb\r\n' > dos.txt; printf 'a\nb\n' > unix.txt
grep -lU $'\r' *.txt
sed -i 's/\r$//' dos.txt
cmp dos.txt unix.txt && echo same
