package web

import "strings"

// What only the host sends: it frames and routes a message, and says who sent it. The host leaves these out of what a
// guest gives, so that whoever gives one is to be told.
var (
	ofTheHost = words("host content-length transfer-encoding connection keep-alive te trailer upgrade expect accept-encoding " +
		"http2-settings via forwarded x-http-method x-http-method-override x-method-override x-original-url x-rewrite-url " +
		"x-original-host x-host x-real-ip x-client-ip client-ip true-client-ip cf-connecting-ip x-cluster-client-ip destination")
	ofTheHostBegin = []string{"proxy-", "sec-", "x-forwarded", "x-envoy-", "x-middleware-"}
)

func words(text string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(text) {
		all[word] = true
	}
	return all
}

// OfTheHost says whether a header is never sent as a guest gives it.
func OfTheHost(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", "-")
	for _, begin := range ofTheHostBegin {
		if strings.HasPrefix(name, begin) {
			return true
		}
	}
	return ofTheHost[name]
}
