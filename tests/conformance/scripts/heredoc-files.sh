#!/bin/bash
set -e
mkdir -p app/{src,tests}
cat > app/src/main.sh <<'T'
#!/bin/sh
echo "main $1"
T
cat > app/tests/run.sh <<T
#!/bin/sh
# made for $(basename app)
sh app/src/main.sh \$1
T
chmod +x app/src/main.sh app/tests/run.sh
app/tests/run.sh hello
find app -type f -perm -u+x | sort
