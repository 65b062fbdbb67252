package numbers

import (
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
)

// factorDigitsMax bounds the numbers of factor: what is left of a number without small factors takes time that grows
// with the root of its second largest prime.
const factorDigitsMax = 1000

// Factor is the command factor.
func Factor(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Short: "h", Long: "exponents=h", Usage: "[OPTION] [NUMBER]..."})
	if done {
		return status
	}
	if len(opts.Operands) > 0 {
		for _, word := range opts.Operands {
			status |= factorWord(c, word, opts.Has("h"))
		}
		return status
	}
	return c.Each(nil, func(_ string, in io.Reader) error {
		return kit.EachLine(in, func(line []byte) error {
			for _, word := range strings.Fields(string(line)) {
				status |= factorWord(c, word, opts.Has("h"))
			}
			return nil
		})
	}) | status
}

func factorWord(c *kit.Call, word string, exponents bool) int {
	digits := strings.TrimLeft(strings.TrimPrefix(word, "+"), "0")
	n, ok := new(big.Int).SetString("0"+digits, 10)
	if !ok || word == "" || strings.Trim(digits, "0123456789") != "" {
		return c.Fail("'%s' is not a valid positive integer", word)
	}
	if len(digits) > factorDigitsMax {
		return c.Fail("'%s...' is too large", digits[:20])
	}
	primes := primeFactors(c, n)
	if primes == nil && c.Context.Err() != nil {
		return 1
	}
	c.Out.WriteString(n.String() + ":")
	for i := 0; i < len(primes); {
		next := i
		for next < len(primes) && primes[next].Cmp(primes[i]) == 0 {
			next++
		}
		if exponents && next-i > 1 {
			c.Out.WriteString(" " + primes[i].String() + "^" + strconv.Itoa(next-i))
		} else {
			c.Out.WriteString(strings.Repeat(" "+primes[i].String(), next-i))
		}
		i = next
	}
	c.Out.WriteByte('\n')
	return 0
}

// primeFactors are in rising order: small ones by division, the rest by Pollard's rho (Brent's variant of 1980).
func primeFactors(c *kit.Call, n *big.Int) []*big.Int {
	var primes []*big.Int
	rest := new(big.Int).Set(n)
	if rest.Sign() == 0 {
		return nil
	}
	quotient, remainder := new(big.Int), new(big.Int)
	for small := int64(2); small < 1000 && rest.Cmp(big.NewInt(1)) > 0; small++ {
		p := big.NewInt(small)
		for {
			if quotient.QuoRem(rest, p, remainder); remainder.Sign() != 0 {
				break
			}
			primes = append(primes, p)
			rest.Set(quotient)
		}
	}
	open := []*big.Int{rest}
	for len(open) > 0 {
		one := open[len(open)-1]
		open = open[:len(open)-1]
		switch {
		case one.Cmp(big.NewInt(1)) == 0:
		case one.ProbablyPrime(20):
			primes = append(primes, one)
		default:
			divisor := rho(c, one)
			if divisor == nil {
				return nil
			}
			open = append(open, divisor, new(big.Int).Quo(one, divisor))
		}
	}
	slices.SortFunc(primes, (*big.Int).Cmp)
	return primes
}

// rho is a proper divisor of a composite number; nil if the call is over first.
func rho(c *kit.Call, n *big.Int) *big.Int {
	one := big.NewInt(1)
	for step := int64(1); ; step++ {
		add, x, y, q := big.NewInt(step), big.NewInt(2), big.NewInt(2), big.NewInt(1)
		gcd, diff := big.NewInt(1), new(big.Int)
		next := func(v *big.Int) { v.Mod(v.Add(v.Mul(v, v), add), n) }
		const batch = 128
		for length := 1; gcd.Cmp(one) == 0; length *= 2 {
			x.Set(y)
			for done := 0; done < length && gcd.Cmp(one) == 0; done += batch {
				saved := new(big.Int).Set(y)
				for range min(batch, length-done) {
					next(y)
					q.Mod(q.Mul(q, diff.Abs(diff.Sub(x, y))), n)
				}
				if c.Context.Err() != nil {
					return nil
				}
				gcd.GCD(nil, nil, q, n)
				if gcd.Cmp(n) == 0 { // too far at once: again, one by one
					for gcd.SetInt64(1); gcd.Cmp(one) == 0; {
						next(saved)
						gcd.GCD(nil, nil, diff.Abs(diff.Sub(x, saved)), n)
					}
				}
			}
		}
		if gcd.Cmp(n) != 0 {
			return gcd
		}
	}
}
