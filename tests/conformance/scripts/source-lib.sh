#!/bin/bash
mkdir lib; echo 'log() { printf "[%s] %s\n" "$1" "$2"; }' > lib/log.sh; echo '. ./lib/log.sh; LOADED=yes' > lib/all.sh
source ./lib/all.sh
log info "loaded $LOADED"
log warn done
