package calculator

import "math/big"

// The functions of `bc -l`, in fixed point with guard digits: series after the argument was made small. Each result is
// cut, not rounded, to the scale, as bc cuts its quotients.
const guardDigits = 12

// fixed is a number times ten to the power of scale, for one calculation.
type fixedPoint struct {
	one   *big.Int
	scale int
}

func newFixed(scale int) fixedPoint { return fixedPoint{pow10(scale), scale} }

func (f fixedPoint) of(d decimal) *big.Int { return d.rescaled(f.scale).n }

func (f fixedPoint) mul(a, b *big.Int) *big.Int {
	n := new(big.Int).Mul(a, b)
	return n.Quo(n, f.one)
}

func (f fixedPoint) div(a, b *big.Int) *big.Int {
	n := new(big.Int).Mul(a, f.one)
	return n.Quo(n, b)
}

func (f fixedPoint) cut(n *big.Int, scale int) decimal { return decimal{n, f.scale}.rescaled(scale) }

// exp halves the argument until it is small, and squares the result as often.
func (d decimal) exp(scale int) decimal {
	n, ok := d.small()
	if !ok || n > bcDigitsMax/2 {
		panic(tooLarge)
	}
	if n < -bcDigitsMax {
		return decimal{new(big.Int), scale}
	}
	const halvings = 16
	f := newFixed(scale + guardDigits + max(n, 0)*45/100 + 2*halvings)
	x := f.of(d)
	times := uint(halvings)
	for m := max(n, -n); m > 0; m /= 2 {
		times++
	}
	x = new(big.Int).Rsh(new(big.Int).Abs(x), times)
	sum, term := new(big.Int).Set(f.one), new(big.Int).Set(f.one)
	for i := int64(1); term.Sign() != 0; i++ {
		term = f.mul(term, x)
		term.Quo(term, big.NewInt(i))
		sum.Add(sum, term)
	}
	for range times {
		sum = f.mul(sum, sum)
	}
	if d.n.Sign() < 0 {
		sum = f.div(f.one, sum)
	}
	return f.cut(sum, scale)
}

// ln takes square roots until the argument is near one, and doubles the result as often.
func (d decimal) ln(scale int) decimal {
	if d.n.Sign() <= 0 {
		return whole(1).sub(decimal{n: pow10(scale)}).rescaled(scale)
	}
	f := newFixed(scale + guardDigits + 20 + d.digits()/1000)
	if d.scale > d.n.BitLen()*3/10 { // a small number needs its digits behind the zeros
		f = newFixed(f.scale + d.scale)
	}
	x := f.of(d)
	times := uint(0)
	near := pow10(f.scale - 2)
	for off := new(big.Int).Sub(x, f.one); off.CmpAbs(near) > 0; off.Sub(x, f.one) {
		x = new(big.Int).Sqrt(x.Mul(x, f.one))
		times++
	}
	// ln x = 2 artanh((x-1)/(x+1))
	ratio := f.div(new(big.Int).Sub(x, f.one), new(big.Int).Add(x, f.one))
	square, power, sum := f.mul(ratio, ratio), new(big.Int).Set(ratio), new(big.Int)
	for i := int64(1); power.Sign() != 0; i += 2 {
		sum.Add(sum, new(big.Int).Quo(power, big.NewInt(i)))
		power = f.mul(power, square)
	}
	return f.cut(sum.Lsh(sum, times+1), scale)
}

// arctangent halves the angle three times, then sums the series.
func (f fixedPoint) arctangent(x *big.Int) *big.Int {
	const halvings = 3
	for range halvings { // atan x = 2 atan(x / (1 + sqrt(1 + x²)))
		root := new(big.Int).Add(new(big.Int).Mul(f.one, f.one), new(big.Int).Mul(x, x))
		x = f.div(x, root.Add(root.Sqrt(root), f.one))
	}
	square, power, sum := f.mul(x, x), new(big.Int).Set(x), new(big.Int)
	for i := int64(1); power.Sign() != 0; i += 2 {
		term := new(big.Int).Quo(power, big.NewInt(i))
		if i%4 == 3 {
			term.Neg(term)
		}
		sum.Add(sum, term)
		power = f.mul(power, square)
	}
	return sum.Lsh(sum, halvings)
}

func (d decimal) atan(scale int) decimal {
	f := newFixed(scale + guardDigits + d.digits()/1000)
	return f.cut(f.arctangent(f.of(d)), scale)
}

// sin; the cosine is the sine a quarter turn on.
func (d decimal) sin(scale int, quarter bool) decimal {
	digits := scale + guardDigits + d.n.BitLen()*3/10 + 2
	f := newFixed(digits)
	pi := f.arctangent(f.one)
	pi.Lsh(pi, 2)
	x := f.of(d)
	if quarter {
		x = new(big.Int).Add(x, new(big.Int).Rsh(pi, 1))
	}
	turn := new(big.Int).Lsh(pi, 1)
	x = new(big.Int).Rem(x, turn)
	if half := new(big.Int).Set(pi); x.CmpAbs(half) > 0 {
		if x.Sign() > 0 {
			x.Sub(x, turn)
		} else {
			x.Add(x, turn)
		}
	}
	square, term, sum := f.mul(x, x), new(big.Int).Set(x), new(big.Int).Set(x)
	for i := int64(2); term.Sign() != 0; i += 2 {
		term = f.mul(term, square)
		term.Quo(term, big.NewInt(-i*(i+1)))
		sum.Add(sum, term)
	}
	return f.cut(sum, scale)
}

// bessel is the Bessel function of a whole order, by its power series.
func (d decimal) bessel(order decimal, scale int) decimal {
	n, ok := order.small()
	x, fits := d.small()
	if !ok || !fits || max(n, -n) > 10_000 || max(x, -x) > 10_000 {
		panic(tooLarge)
	}
	negative := n < 0 && n%2 != 0
	n = max(n, -n)
	f := newFixed(scale + guardDigits + max(x, -x) + n)
	half := new(big.Int).Rsh(f.of(d), 1)
	if half.Sign() < 0 {
		half = new(big.Int).Quo(f.of(d), big.NewInt(2))
	}
	term := new(big.Int).Set(f.one)
	for i := 1; i <= n; i++ {
		term = f.mul(term, half)
		term.Quo(term, big.NewInt(int64(i)))
	}
	square, sum := f.mul(half, half), new(big.Int).Set(term)
	for i := int64(1); term.Sign() != 0; i++ {
		term = f.mul(term, square)
		term.Quo(term, big.NewInt(-i*(i+int64(n))))
		sum.Add(sum, term)
	}
	if negative {
		sum.Neg(sum)
	}
	return f.cut(sum, scale)
}
