#!/bin/bash
for spec in 80 8080:80 127.0.0.1:8080:80/udp 9000-9002; do
  proto=tcp; [[ $spec == */* ]] && proto=${spec##*/}; spec=${spec%/*}
  case $spec in *:*:*) echo "ip=${spec%%:*} rest=${spec#*:} $proto" ;; *:*) echo "host=${spec%%:*} box=${spec##*:} $proto" ;;
    *-*) seq -s, "${spec%-*}" "${spec#*-}" ;; *) echo "box=$spec $proto" ;; esac
done
