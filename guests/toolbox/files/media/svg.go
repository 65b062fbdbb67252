package media

import (
	"bytes"
	"encoding/xml"
	"strings"
)

// SVG tells the size that the root element of an SVG text names, as it is written there; false for another text.
func SVG(head []byte) (width, height string, ok bool) {
	decoder := xml.NewDecoder(bytes.NewReader(head[:min(len(head), headBytes)]))
	decoder.Strict = false
	for range 50 {
		token, err := decoder.Token()
		if err != nil {
			return "", "", false
		}
		root, isElement := token.(xml.StartElement)
		if !isElement {
			continue
		}
		if root.Name.Local != "svg" {
			return "", "", false
		}
		for _, attribute := range root.Attr {
			switch attribute.Name.Local {
			case "width":
				width = attribute.Value
			case "height":
				height = attribute.Value
			case "viewBox":
				if box := strings.Fields(strings.ReplaceAll(attribute.Value, ",", " ")); len(box) == 4 && width == "" && height == "" {
					width, height = box[2], box[3]
				}
			}
		}
		return width, height, true
	}
	return "", "", false
}
