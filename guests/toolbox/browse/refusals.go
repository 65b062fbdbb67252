package browse

import (
	"io"
	"strings"

	"capbox/toolbox/abi"
	"capbox/toolbox/document"
	"capbox/toolbox/web"
)

// refused puts a failed request into the tools' words. What is the method and the address.
func refused(what string, err error) abi.Result {
	said := strings.TrimRight(err.Error(), ". ")
	switch web.Code(err) {
	case web.Denied:
		return abi.Fail("permission_denied", "%s: Permission denied: %s.", what, said)
	case web.DNS:
		return abi.Fail("dns", "%s: %s. Check its spelling.", what, said)
	case web.Connect:
		return abi.Fail("connect", "%s: %s.", what, said)
	case web.TLS:
		return abi.Fail("tls", "%s: the connection is not secure and was ended: %s. Certificates are always checked.", what, said)
	case web.Timeout:
		return abi.Fail("timeout", "%s: %s.", what, said)
	case web.TooLarge:
		return abi.Fail("too_large", "%s: %s.", what, said)
	case web.Limit:
		return abi.Fail("limit", "%s: %s.", what, said)
	case web.Protocol:
		return abi.Fail("protocol", "%s: the server's answer is broken: %s.", what, said)
	case web.Redirects:
		return abi.Fail("redirects", "%s: %s.", what, said)
	case web.Encoding:
		return abi.Fail("encoding", "%s: the body cannot be decoded: %s.", what, said)
	case web.Secret:
		return abi.Fail("secret", "%s: %s.", what, said)
	case web.Invalid:
		return abi.Fail("invalid_arguments", "%s: %s.", what, said)
	}
	return abi.Fail("connect", "%s: %s.", what, said)
}

const (
	excerptBytesMax = 256 << 10 // of the body that are read
	excerptChars    = 600
)

// failedStatus is the error of a response whose status says that it is one, with the beginning of its text.
func (f *fetching) failedStatus(response *web.Response) abi.Result {
	raw, _ := io.ReadAll(io.LimitReader(response.Body, excerptBytesMax)) // what came before an error will do
	f.data.Bytes = int64(len(raw))
	text := ""
	if binary(raw, document.Kind(f.data.ContentType)) == "" {
		text, _ = document.Decoded(raw, f.data.ContentType)
		if isHTML(f.data.ContentType, text) {
			if page, err := document.Parse(text, f.address); err == nil {
				text = page.Whole().Text()
			}
		}
		text = strings.Join(strings.Fields(text), " ")
	}
	if cut, more := firstChars(text, excerptChars); more {
		text = cut + "…"
	}
	if text != "" {
		text = ": " + text
	}
	hint := ""
	switch response.Status {
	case 401, 403:
		hint = " (the server refuses it, not the sandbox)"
	case 429, 503:
		if after := response.Header("Retry-After"); after != "" {
			hint = " (Retry-After: " + after + ")"
		}
	}
	return f.fail(abi.Fail("http_status", "%s: %d %s%s%s", f.what, response.Status, response.Reason, hint, text))
}

// firstChars cuts a text to so many characters; the second result says whether anything was cut.
func firstChars(text string, chars int) (string, bool) {
	for at := range text {
		if chars == 0 {
			return text[:at], true
		}
		chars--
	}
	return text, false
}
