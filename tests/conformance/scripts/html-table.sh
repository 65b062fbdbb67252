#!/bin/bash
printf 'n,v\na,1\nb,2\n' | { IFS=, read -r -a h; echo '<table>'; printf '<tr>'; printf '<th>%s</th>' "${h[@]}"; echo '</tr>'
while IFS=, read -r -a r; do printf '<tr>'; printf '<td>%s</td>' "${r[@]}"; echo '</tr>'; done; echo '</table>'; }
