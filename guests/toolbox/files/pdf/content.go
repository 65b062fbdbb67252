package pdf

import (
	"bytes"
	"math"
	"slices"
)

const (
	// TextMax bounds the text of a whole document.
	TextMax      = 8 << 20
	operandsMax  = 64
	formDepthMax = 4
	drawnMax     = 4_000_000 // values in all content streams
)

// Text is what the pages say, in the order in which they draw it. `visit` gets one page at a time and ends the reading
// with false; the result is false when a bound ended it.
func (d *Document) Text(visit func(page int, text string) bool) bool {
	left, room := drawnMax, TextMax
	for i, page := range d.Pages {
		w := &writer{document: d, left: &left}
		contents := d.resolve(page.dict["Contents"])
		parts, isList := contents.([]any)
		if !isList {
			parts = []any{contents}
		}
		var joined []byte
		for _, part := range parts[:min(len(parts), 1000)] {
			if packed, ok := d.resolve(part).(stream); ok && len(joined) < oneMax {
				joined = append(append(joined, d.inflate(packed)...), '\n')
			}
		}
		w.run(joined, page.resources, 0)
		room -= w.out.Len()
		if !visit(i+1, w.out.String()) {
			return true
		}
		if room <= 0 || left <= 0 || d.inflated >= inflatedMax {
			return i+1 == len(d.Pages)
		}
	}
	return true
}

// writer follows a content stream's text operators (ISO 32000-1, 9.4).
type writer struct {
	document *Document
	left     *int
	out      bytes.Buffer
	font     *font
	size     float64
	leading  float64
	scale    [2]float64 // of the text matrix: along the line, and across
	x, y     float64    // where the line begins
	endX     float64    // where the last text ended; NaN when that is not known
	shownY   float64
	moved    bool
	shown    bool
	drawing  []any // the forms that are being drawn, by reference: none is drawn within itself
}

func (w *writer) run(text []byte, resources dict, depth int) {
	p := &parser{text: text, left: w.left}
	var operands []any
	w.scale = [2]float64{1, 1}
	for {
		value, ok := p.value(0)
		if !ok || w.out.Len() > TextMax {
			return
		}
		operator, isWord := value.(word)
		if !isWord {
			if operands = append(operands, value); len(operands) > operandsMax {
				operands = operands[1:]
			}
			continue
		}
		switch operator {
		case "ID": // the bytes of an inline image
			if end := bytes.Index(p.text[p.at:], []byte("EI")); end >= 0 {
				p.at += end + 2
			}
		case "Do":
			w.form(operands, resources, depth)
		default:
			w.operate(operator, operands, resources)
		}
		operands = operands[:0]
	}
}

// form draws a form, a piece of content with a name.
func (w *writer) form(operands []any, resources dict, depth int) {
	d := w.document
	called, _ := last(operands, 1).(name)
	value := d.dict(resources["XObject"])[called]
	_, isRef := value.(ref)
	drawn, ok := d.resolve(value).(stream)
	if !ok || !isRef || depth >= formDepthMax || drawn.dict["Subtype"] != name("Form") || slices.Contains(w.drawing, value) {
		return
	}
	w.drawing = append(w.drawing, value)
	defer func() { w.drawing = w.drawing[:depth] }()
	own := d.dict(drawn.dict["Resources"])
	if own == nil {
		own = resources
	}
	w.run(d.inflate(drawn), own, depth+1)
}

func (w *writer) operate(operator word, operands []any, resources dict) {
	n := func(back int) float64 {
		value, _ := last(operands, back).(float64)
		return value
	}
	switch operator {
	case "BT":
		w.x, w.y, w.scale, w.moved = 0, 0, [2]float64{1, 1}, true
	case "Tf":
		called, _ := last(operands, 2).(name)
		w.size = n(1)
		if found, ok := w.document.dict(resources["Font"])[called]; ok {
			w.font = w.document.font(found)
		}
	case "TL":
		w.leading = n(1)
	case "Td", "TD":
		if operator == "TD" {
			w.leading = -n(1)
		}
		w.move(n(2), n(1))
	case "Tm":
		w.scale = [2]float64{math.Hypot(n(6), n(5)), n(3)}
		w.x, w.y, w.moved = n(2), n(1), true
	case "T*":
		w.move(0, -w.leading)
	case "'", `"`:
		w.move(0, -w.leading)
		w.show(last(operands, 1))
	case "Tj":
		w.show(last(operands, 1))
	case "TJ":
		parts, _ := last(operands, 1).([]any)
		for _, part := range parts {
			if gap, isNumber := part.(float64); isNumber {
				if w.endX -= gap / 1000 * w.size * w.scale[0]; gap < -200 {
					w.space()
				}
				continue
			}
			w.show(part)
		}
	}
}

func (w *writer) move(x, y float64) {
	w.x += x * w.scale[0]
	w.y += y * w.scale[1]
	w.moved = true
}

func (w *writer) space() {
	if text := w.out.Bytes(); len(text) > 0 && !isSpace(text[len(text)-1]) {
		w.out.WriteByte(' ')
	}
}

// show writes a string, on a new line if it stands on another one, behind a space if it stands apart.
func (w *writer) show(value any) {
	raw, ok := value.([]byte)
	if !ok || w.font == nil || len(raw) == 0 {
		return
	}
	across := math.Abs(w.size * w.scale[1])
	if w.moved && w.shown {
		switch gap := w.x - w.endX; {
		case math.Abs(w.y-w.shownY) > 0.3*across:
			w.out.WriteByte('\n')
			if math.Abs(w.y-w.shownY) > 2*across { // a paragraph
				w.out.WriteByte('\n')
			}
		case math.IsNaN(gap) || gap > 0.15*w.size*w.scale[0] || gap < -w.size*w.scale[0]:
			w.space()
		}
	}
	if w.moved {
		w.endX = w.x
	}
	width := w.font.text(&w.out, raw)
	if width < 0 {
		w.endX = math.NaN()
	}
	w.endX += width / 1000 * w.size * w.scale[0]
	w.shownY, w.moved, w.shown = w.y, false, true
}
