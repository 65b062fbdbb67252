#!/bin/bash
printf '\033[31mred\033[0m and \033[1;32mgreen\033[0m\n' > c.txt
sed 's/\x1b\[[0-9;]*m//g' c.txt
grep -c $'\033' c.txt
