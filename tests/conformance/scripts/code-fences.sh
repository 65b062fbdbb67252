#!/bin/bash
printf 'a\n```sh\necho one\n```\nb\n```python\nprint(1)\n```\n```sh\necho two\n```\n' > doc.md
awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on' doc.md > run.sh
bash run.sh
