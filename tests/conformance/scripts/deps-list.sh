#!/bin/bash
mkdir -p pkg
printf 'import os\nimport json\nfrom pathlib import Path\nfrom . import x\n' > pkg/a.py
printf 'import os, sys\nimport requests\n' > pkg/b.py
grep -rhoE '^(import|from) [a-z][a-z_]*' pkg --include='*.py' | awk '{print $2}' | sort | uniq -c | sort -k1,1nr -k2 | while read -r n name; do echo "$name $n"; done
