#!/bin/bash
usage() {
  cat <<EOF
Usage: ${0##*/} [options] FILE...
  -n NUM   how many (default ${count})
  -h       this help
EOF
}
count=3
0=tool
while getopts ':n:h' opt; do
  case $opt in
    n) count=$OPTARG ;;
    h) usage; exit 0 ;;
    \?) echo "bad -$OPTARG"; exit 2 ;;
  esac
done
usage | tail -n 2
echo "count=$count"
