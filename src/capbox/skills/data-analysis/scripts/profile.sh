# Profiles a CSV file without quoted separators: bash profile.sh FILE [SEPARATOR]
file=${1:?which file? bash profile.sh FILE [SEPARATOR]}
awk -v FS="${2:-,}" '
{ sub(/\r$/, "") }
NR == 1 { columns = NF; for (i = 1; i <= NF; i++) name[i] = $i; next }
$0 == "" { next }
{
  rows++
  if (NF != columns) odd++
  if (seen[$0]++) twice++
  for (i = 1; i <= columns; i++) {
    value = $i
    if (value == "" || value == "NA" || value == "null" || value == "-") { empty[i]++; continue }
    if (!((i, value) in had)) { had[i, value] = 1; distinct[i]++ }
    filled[i]++
    if (value ~ /^-?[0-9]+(\.[0-9]+)?$/) {
      number = value + 0
      if (!numbers[i] || number < least[i]) least[i] = number
      if (!numbers[i] || number > most[i]) most[i] = number
      numbers[i]++
      sum[i] += number
    }
  }
}
END {
  printf "rows %d, columns %d, rows of another length %d, repeated rows %d\n", \
    rows, columns, odd, twice
  for (i = 1; i <= columns; i++) {
    printf "%s: %d values, %d empty, %d distinct", name[i], filled[i], empty[i], distinct[i]
    if (numbers[i] && numbers[i] == filled[i])
      printf ", from %s to %s, mean %.6g", least[i], most[i], sum[i] / numbers[i]
    else if (numbers[i])
      printf ", %d of them numbers", numbers[i]
    print ""
  }
}' "$file"
