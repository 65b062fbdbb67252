#!/bin/bash
printf 'flask==2.0\nrequests>=2 # http\n\n# dev\npytest\n' > a.txt
printf 'Requests>=2\nnumpy\n' > b.txt
cat a.txt b.txt | sed -e 's/#.*//' -e 's/[[:space:]]*$//' | tr 'A-Z' 'a-z' | grep -v '^$' | sort -u > all.txt
cat all.txt; wc -l < all.txt
