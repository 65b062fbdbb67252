#!/bin/bash
mkdir src; printf 'x\n// TODO(ann): fix\n' > src/a.c; printf '# FIXME later\ny # TODO two\n' > src/b.py
grep -rnE 'TODO|FIXME' src | sort | sed -E 's/^([^:]+):([0-9]+):.*(TODO|FIXME)(.*)$/\1:\2 \3\4/'
echo "total $(grep -rcE 'TODO|FIXME' src | awk -F: '{ s += $2 } END { print s }')"
