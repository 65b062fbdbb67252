#!/bin/bash
arr=(b a c a)
uniqued=($(printf '%s\n' "${arr[@]}" | sort -u))
echo "${#uniqued[@]} ${uniqued[*]}"
index_of() { local w=$1 i; shift; for ((i = 1; i <= $#; i++)); do [ "${!i}" = "$w" ] && { echo $((i - 1)); return; }; done; echo -1; }
index_of c "${arr[@]}"; index_of z "${arr[@]}"
rev=(); for ((i = ${#arr[@]} - 1; i >= 0; i--)); do rev+=("${arr[i]}"); done; echo "${rev[@]}"
echo "${arr[@]/a/A}"
