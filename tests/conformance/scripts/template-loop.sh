#!/bin/bash
gen() {
  local name=$1; shift
  echo "class $name {"
  for field in "$@"; do
    local type=${field%%:*} id=${field##*:}
    echo "  private $type $id;"
  done
  echo "}"
}
gen Point int:x int:y > Point.java
gen User String:name long:id > User.java
wc -l Point.java User.java | awk '{print $1}'
cat Point.java
