#!/bin/bash
state=idle
for event in start work work stop oops; do
  case $state:$event in
    idle:start) state=running ;;
    running:work) echo working ;;
    running:stop) state=idle ;;
    *) echo "no $event in $state" ;;
  esac
done
echo "$state"
