#!/bin/bash
stack=(); push() { stack+=("$1"); }; pop() { local n=$(( ${#stack[@]} - 1 )); popped=${stack[$n]}; unset "stack[$n]"; }
push 1; push 2; push 3; pop; echo "$popped ${#stack[@]}"; pop; echo "$popped"
queue=(a b c); first=${queue[0]}; queue=("${queue[@]:1}"); echo "$first ${queue[*]}"
