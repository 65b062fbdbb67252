package pdf

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"errors"
	"io"
	"strconv"
	"unicode/utf16"
)

const (
	// FileBytesMax is what Open takes.
	FileBytesMax = 32 << 20
	// inflatedMax bounds what all streams of a file may become together, oneMax a single one.
	inflatedMax = 96 << 20
	oneMax      = 24 << 20
	nodesMax    = 50_000
)

// Document is what was found in a file.
type Document struct {
	Version   string
	Title     string
	Encrypted bool
	Pages     []Page

	objects  map[int]any
	trailer  dict
	left     int // values that may yet be parsed
	inflated int
	mapped   int // entries made in fonts' tables
	fonts    map[int]*font
}

// Page is one page: what is drawn on it, and with what.
type Page struct{ dict, resources dict }

// ErrNoPDF is a file without PDF's head or without pages.
var ErrNoPDF = errors.New("no pages were found")

// Open reads a file's objects.
func Open(text []byte) (*Document, error) {
	head := bytes.Index(text[:min(len(text), 1024)], []byte("%PDF-"))
	if head < 0 {
		return nil, ErrNoPDF
	}
	d := &Document{objects: make(map[int]any), trailer: dict{}, left: valuesMax, fonts: make(map[int]*font)}
	p := &parser{text: text[head+5 : min(len(text), head+15)], left: &d.left}
	d.Version = p.run()
	d.scan(text)
	d.trailers(text)
	_, d.Encrypted = d.trailer["Encrypt"]
	d.walk()
	if len(d.Pages) == 0 {
		return nil, ErrNoPDF
	}
	if info := d.dict(d.trailer["Info"]); info != nil && !d.Encrypted {
		if title, ok := d.resolve(info["Title"]).([]byte); ok {
			d.Title = textString(title)
		}
	}
	return d, nil
}

// scan takes every "N G obj" in the order of the file: what comes later replaces what came before, as updates do.
func (d *Document) scan(text []byte) {
	for at := 0; at < len(text) && d.left > 0; {
		next := bytes.Index(text[at:], []byte("obj"))
		if next < 0 {
			return
		}
		at += next
		id, ok := numberBefore(text, at)
		at += len("obj")
		if !ok {
			continue
		}
		p := &parser{text: text, at: at, left: &d.left}
		value, ok := p.value(0)
		if !ok {
			continue
		}
		at = p.at
		if head, isDict := value.(dict); isDict {
			if raw, end, ok := body(text, p, head); ok {
				value, at = stream{head, raw}, end
			}
		}
		d.objects[id] = value
		d.unpack(value)
	}
}

// numberBefore reads the object's number in front of "obj"; "endobj" has none.
func numberBefore(text []byte, at int) (int, bool) {
	line := bytes.TrimRight(text[max(0, at-24):at], " \t\r\n\x00")
	end := len(line)
	for end > 0 && '0' <= line[end-1] && line[end-1] <= '9' {
		end--
	}
	if end == len(line) || end == 0 {
		return 0, false
	}
	line = bytes.TrimRight(line[:end], " \t\r\n\x00")
	start := len(line)
	for start > 0 && '0' <= line[start-1] && line[start-1] <= '9' {
		start--
	}
	id, err := strconv.Atoi(string(line[start:]))
	return id, err == nil && id < 1<<31
}

// body is the bytes of a stream behind its dictionary. Its length is believed only if "endstream" stands behind it.
func body(text []byte, p *parser, head dict) (raw []byte, end int, ok bool) {
	p.skip()
	rest := text[p.at:]
	if !bytes.HasPrefix(rest, []byte("stream")) {
		return nil, 0, false
	}
	start := p.at + len("stream")
	if start < len(text) && text[start] == '\r' {
		start++
	}
	if start < len(text) && text[start] == '\n' {
		start++
	}
	if length, isNumber := head["Length"].(float64); isNumber && length >= 0 && length < float64(len(text)-start) {
		end := start + int(length)
		if bytes.HasPrefix(bytes.TrimLeft(text[end:min(len(text), end+16)], "\r\n "), []byte("endstream")) {
			return text[start:end], end, true
		}
	}
	length := bytes.Index(text[start:], []byte("endstream"))
	if length < 0 {
		return text[start:], len(text), true
	}
	return text[start : start+length], start + length, true
}

// unpack takes the objects out of an object stream (ISO 32000-1, 7.5.7), and the trailer out of a stream that is one.
func (d *Document) unpack(value any) {
	packed, ok := value.(stream)
	if !ok {
		return
	}
	switch packed.dict["Type"] {
	case name("XRef"):
		d.merge(packed.dict)
	case name("ObjStm"):
		text := d.inflate(packed)
		count, _ := packed.dict["N"].(float64)
		first, _ := packed.dict["First"].(float64)
		heads := &parser{text: text, left: &d.left}
		parsed := 0
		for range int(min(max(count, 0), nodesMax)) {
			id, ok := heads.value(0)
			offset, more := heads.value(0)
			number, isNumber := id.(float64)
			place, isPlace := offset.(float64)
			if !ok || !more || !isNumber || !isPlace || place < 0 || first < 0 || place+first >= float64(len(text)) {
				return
			}
			inner := &parser{text: text, at: int(first + place), left: &d.left}
			if value, ok := inner.value(0); ok && number >= 0 {
				d.objects[int(number)] = value
			}
			// Attack: many objects that begin at the same place and are long.
			if parsed += inner.at - int(first+place); parsed > 4*len(text) {
				return
			}
		}
	}
}

func (d *Document) trailers(text []byte) {
	for at := 0; d.left > 0; {
		next := bytes.Index(text[at:], []byte("trailer"))
		if next < 0 {
			return
		}
		at += next + len("trailer")
		p := &parser{text: text, at: at, left: &d.left}
		if value, ok := p.value(0); ok {
			if found, isDict := value.(dict); isDict {
				d.merge(found)
			}
			at = p.at
		}
	}
}

func (d *Document) merge(found dict) {
	for _, key := range []name{"Root", "Info", "Encrypt"} {
		if value, ok := found[key]; ok {
			d.trailer[key] = value
		}
	}
}

func (d *Document) resolve(value any) any {
	for range 10 {
		at, ok := value.(ref)
		if !ok {
			return value
		}
		value = d.objects[int(at)]
	}
	return nil
}

func (d *Document) dict(value any) dict {
	switch found := d.resolve(value).(type) {
	case dict:
		return found
	case stream:
		return found.dict
	}
	return nil
}

// inflate undoes a stream's filters; nil for one it does not know.
func (d *Document) inflate(packed stream) []byte {
	text := packed.raw
	filters, ok := d.resolve(packed.dict["Filter"]).([]any)
	if single, isName := d.resolve(packed.dict["Filter"]).(name); isName {
		filters, ok = []any{single}, true
	}
	if !ok {
		return text
	}
	for _, one := range filters[:min(len(filters), 4)] {
		var source io.Reader
		switch d.resolve(one) {
		case name("FlateDecode"), name("Fl"):
			inflating, err := zlib.NewReader(bytes.NewReader(text))
			if err != nil {
				return nil
			}
			source = inflating
		case name("ASCII85Decode"), name("A85"):
			text = bytes.TrimPrefix(bytes.TrimSpace(text), []byte("<~"))
			if end := bytes.Index(text, []byte("~>")); end >= 0 {
				text = text[:end]
			}
			source = ascii85.NewDecoder(bytes.NewReader(text))
		case name("ASCIIHexDecode"), name("AHx"):
			text = (&parser{text: text}).hex()
			continue
		default:
			return nil
		}
		// What came before an error is kept: a cut stream still tells something.
		text, _ = io.ReadAll(io.LimitReader(source, int64(min(oneMax, inflatedMax-d.inflated))))
		d.inflated += len(text)
	}
	return text
}

// walk collects the pages in their order, each node once. Without a usable tree every page object counts.
func (d *Document) walk() {
	type node struct {
		value     any
		resources dict
	}
	seen := make(map[int]bool)
	root := d.dict(d.trailer["Root"])
	pending := []node{{value: root["Pages"]}}
	for visited := 0; len(pending) > 0 && visited < nodesMax; visited++ {
		one := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if at, ok := one.value.(ref); ok {
			if seen[int(at)] {
				continue
			}
			seen[int(at)] = true
		}
		found := d.dict(one.value)
		if found == nil {
			continue
		}
		resources := one.resources
		if own := d.dict(found["Resources"]); own != nil {
			resources = own
		}
		kids, isTree := d.resolve(found["Kids"]).([]any)
		if !isTree {
			d.Pages = append(d.Pages, Page{found, resources})
			continue
		}
		for i := min(len(kids), nodesMax) - 1; i >= 0; i-- {
			pending = append(pending, node{kids[i], resources})
		}
		if len(pending) > 4*nodesMax {
			return
		}
	}
}

// textString reads a string for people: UTF-16 with a mark, UTF-8 with a mark, or nearly Latin-1.
func textString(raw []byte) string {
	if len(raw) >= 2 && raw[0] == 0xfe && raw[1] == 0xff {
		return utf16Text(raw[2:])
	}
	if rest, ok := bytes.CutPrefix(raw, []byte("\ufeff")); ok {
		return string(rest)
	}
	var out []rune
	for _, b := range raw {
		out = append(out, windows[b])
	}
	return string(out)
}

func utf16Text(raw []byte) string {
	units := make([]uint16, 0, len(raw)/2)
	for i := 0; i+1 < len(raw); i += 2 {
		units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
	}
	return string(utf16.Decode(units))
}
