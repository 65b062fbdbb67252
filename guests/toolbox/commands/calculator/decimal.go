package calculator

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// decimal is the number of bc and dc: n divided by ten to the power of scale. Values are never changed in place.
type decimal struct {
	n     *big.Int
	scale int
}

// Bounds of bc and dc: digits of one number, and the largest scale and base.
const (
	bcDigitsMax = 1_000_000
	ScaleMax    = 100_000
	BaseMax     = 1 << 30
)

// calculationError is a run-time error of bc or dc; it unwinds to the line that was run.
type calculationError string

var tooLarge = calculationError("number is too large")

func whole(n int64) decimal { return decimal{n: big.NewInt(n)} }

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// rescaled has the given scale; digits beyond it are cut off.
func (d decimal) rescaled(scale int) decimal {
	switch {
	case scale == d.scale:
		return d
	case scale > d.scale:
		return decimal{new(big.Int).Mul(d.n, pow10(scale-d.scale)), scale}
	}
	return decimal{new(big.Int).Quo(d.n, pow10(d.scale-scale)), scale}
}

func aligned(a, b decimal) (decimal, decimal, int) {
	scale := max(a.scale, b.scale)
	return a.rescaled(scale), b.rescaled(scale), scale
}

func (d decimal) compare(o decimal) int {
	a, b, _ := aligned(d, o)
	return a.n.Cmp(b.n)
}

func (d decimal) isZero() bool { return d.n.Sign() == 0 }

func (d decimal) neg() decimal { return decimal{new(big.Int).Neg(d.n), d.scale} }

func (d decimal) add(o decimal) decimal {
	a, b, scale := aligned(d, o)
	return decimal{new(big.Int).Add(a.n, b.n), scale}
}

func (d decimal) sub(o decimal) decimal { return d.add(o.neg()) }

// mul keeps at most max(scale, both scales) of the product's digits, as POSIX says.
func (d decimal) mul(o decimal, scale int) decimal {
	if d.digits()+o.digits() > bcDigitsMax {
		panic(tooLarge)
	}
	full := decimal{new(big.Int).Mul(d.n, o.n), d.scale + o.scale}
	return full.rescaled(min(full.scale, max(scale, d.scale, o.scale)))
}

func (d decimal) div(o decimal, scale int) decimal {
	if o.isZero() {
		panic(calculationError("Divide by zero"))
	}
	n := new(big.Int).Mul(d.n, pow10(max(0, scale+o.scale-d.scale)))
	by := o.n
	if d.scale > scale+o.scale {
		by = new(big.Int).Mul(by, pow10(d.scale-scale-o.scale))
	}
	return decimal{n.Quo(n, by), scale}
}

func (d decimal) mod(o decimal, scale int) decimal {
	if o.isZero() {
		panic(calculationError("Modulo by zero"))
	}
	quotient := d.div(o, scale)
	exact := decimal{new(big.Int).Mul(quotient.n, o.n), quotient.scale + o.scale}
	return d.sub(exact).rescaled(max(d.scale, scale+o.scale))
}

// pow raises to a whole power; the fraction of the exponent is ignored.
func (d decimal) pow(o decimal, scale int) decimal {
	exponent := o.rescaled(0).n
	if !exponent.IsInt64() {
		panic(calculationError("exponent too large in raise"))
	}
	n := exponent.Int64()
	times := max(n, -n)
	if d.isZero() && n < 0 {
		panic(calculationError("Divide by zero"))
	}
	if bits := int64(max(d.n.BitLen(), 1)); d.n.BitLen() > 1 && times > bcDigitsMax*33/10/bits || int64(d.scale)*times > bcDigitsMax {
		panic(tooLarge)
	}
	power := decimal{new(big.Int).Exp(d.n, big.NewInt(times), nil), d.scale * int(times)}
	if n < 0 {
		return whole(1).div(power, scale)
	}
	return power.rescaled(min(power.scale, max(scale, d.scale)))
}

func (d decimal) sqrt(scale int) decimal {
	if d.n.Sign() < 0 {
		panic(calculationError("Square root of a negative number"))
	}
	scale = max(scale, d.scale)
	return decimal{new(big.Int).Sqrt(d.rescaled(2 * scale).n), scale}
}

// digits is about how many decimal digits the number takes.
func (d decimal) digits() int { return max(d.n.BitLen()*3/10, d.scale) }

// length is bc's: the digits that count, leading zeros of a whole part left out.
func (d decimal) length() int {
	text := new(big.Int).Abs(d.n).String()
	if d.isZero() {
		return max(1, d.scale)
	}
	return max(len(text), d.scale)
}

// small is the value as an int, cut to a whole number; false if it does not fit.
func (d decimal) small() (int, bool) {
	n := d.rescaled(0).n
	return int(n.Int64()), n.IsInt64() && int64(int(n.Int64())) == n.Int64()
}

// parseDecimal reads digits 0-9 and A-Z in a base. A digit that the base does not have counts as its highest one,
// unless it stands alone.
func parseDecimal(text string, base int) decimal {
	wholeText, fraction, _ := strings.Cut(text, ".")
	if len(text) > bcDigitsMax {
		panic(tooLarge)
	}
	if base == 10 && strings.Trim(text, "0123456789.") == "" {
		n, _ := new(big.Int).SetString("0"+wholeText+fraction, 10)
		return decimal{n, len(fraction)}
	}
	digit := func(b byte) int64 {
		value := int64(b - '0')
		if b >= 'A' {
			value = int64(b-'A') + 10
		}
		if len(wholeText)+len(fraction) > 1 {
			value = min(value, int64(base-1))
		}
		return value
	}
	n, big10 := new(big.Int), big.NewInt(int64(base))
	for i := range len(wholeText) + len(fraction) {
		n.Mul(n, big10).Add(n, big.NewInt(digit((wholeText + fraction)[i])))
	}
	if fraction == "" {
		return decimal{n: n}
	}
	power := new(big.Int).Exp(big10, big.NewInt(int64(len(fraction))), nil)
	return decimal{n: n}.div(decimal{n: power}, len(fraction))
}

// text is the number in a base, without a zero before the point.
func (d decimal) text(base int) string {
	if base == 10 {
		return d.decimalText()
	}
	sign := ""
	if d.n.Sign() < 0 {
		sign = "-"
	}
	n, fraction := new(big.Int).QuoRem(new(big.Int).Abs(d.n), pow10(d.scale), new(big.Int))
	var out strings.Builder
	out.WriteString(sign)
	if base <= 16 {
		if n.Sign() != 0 || d.scale == 0 {
			out.WriteString(strings.ToUpper(n.Text(base)))
		}
	} else {
		for _, one := range wideDigits(n, base) {
			out.WriteString(" " + wideDigit(one, base))
		}
	}
	if d.scale > 0 {
		out.WriteByte('.')
	}
	// As many digits as it takes to tell apart what the decimal digits do.
	unit, power, b := pow10(d.scale), big.NewInt(1), big.NewInt(int64(base))
	for first := true; d.scale > 0 && power.Cmp(unit) < 0; first = false {
		power.Mul(power, b)
		one, rest := new(big.Int).QuoRem(fraction.Mul(fraction, b), unit, new(big.Int))
		fraction = rest
		if base <= 16 {
			out.WriteString(strings.ToUpper(one.Text(16)))
			continue
		}
		if !first {
			out.WriteByte(' ')
		}
		out.WriteString(wideDigit(int(one.Int64()), base))
	}
	return out.String()
}

func (d decimal) decimalText() string {
	if d.isZero() {
		return "0"
	}
	digits := new(big.Int).Abs(d.n).String()
	if d.scale > 0 {
		if len(digits) < d.scale {
			digits = strings.Repeat("0", d.scale-len(digits)) + digits
		}
		digits = digits[:len(digits)-d.scale] + "." + digits[len(digits)-d.scale:]
	}
	if d.n.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// wideDigits are the digits of a base above 16, which are written in decimal.
func wideDigits(n *big.Int, base int) []int {
	if n.Sign() == 0 {
		return []int{0}
	}
	var all []int
	rest, one, b := new(big.Int).Set(n), new(big.Int), big.NewInt(int64(base))
	for rest.Sign() != 0 {
		rest.QuoRem(rest, b, one)
		all = append(all, int(one.Int64()))
	}
	slices.Reverse(all)
	return all
}

func wideDigit(n, base int) string {
	text := strconv.Itoa(n)
	return strings.Repeat("0", len(strconv.Itoa(base-1))-len(text)) + text
}
