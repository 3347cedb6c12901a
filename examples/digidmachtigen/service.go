package main

import (
	"encoding/xml"
	"io"
	"net/http"
	"strings"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// serveSOAP answers as the service would: to a caller whom it knows by its OIN.
func serveSOAP(w http.ResponseWriter, r *http.Request) {
	caller, _ := pkioverheid.IdentityFromContext(r.Context()) // the handler before this one admitted it
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	e, err := readEnvelope(r.Body)
	var reply envelope
	if err != nil || e.Body.Question == nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/xml") {
		w.WriteHeader(http.StatusInternalServerError) // as SOAP 1.1 has it over HTTP
		reply.Body.Fault = &fault{"Client", "this is not a question"}
	} else {
		reply.Body.Answer = &answer{e.Body.Question.ID, "geldig, gevraagd door " + string(caller.OIN())}
	}
	text, err := xml.Marshal(reply)
	if err != nil {
		return
	}
	io.WriteString(w, xml.Header+string(text))
}
