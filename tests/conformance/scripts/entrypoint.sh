#!/bin/bash
main() {
  local verbose=0 config= args=()
  while [ $# -gt 0 ]; do
    case $1 in
      -v|--verbose) verbose=1; shift ;;
      -c|--config) config=$2; shift 2 ;;
      --config=*) config=${1#*=}; shift ;;
      --) shift; args+=("$@"); break ;;
      -*) echo "unknown option $1"; return 64 ;;
      *) args+=("$1"); shift ;;
    esac
  done
  echo "verbose=$verbose config=$config n=${#args[@]} args=${args[*]:-}"
}
main -v --config=a.yml serve --  -x
main run -c b.yml
main --nope; echo "status $?"
