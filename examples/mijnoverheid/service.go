package main

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-pkioverheid/trust/examples/internal/standin"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
)

// service plays the services: SOAP everywhere, but ebMS2 at the path of Lopende Zaken.
type service struct{ agreement string }

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	caller, _ := pkioverheid.IdentityFromContext(r.Context()) // the handler before this one admitted it
	var answer string
	var err error
	if r.URL.Path == path {
		answer, err = s.exchange(r, caller)
	} else {
		answer, err = answerSOAP(r, caller)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	io.WriteString(w, answer)
}

func answerSOAP(r *http.Request, caller pkioverheid.Identity) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return "", err
	}
	var asked, answer envelope
	if err := xml.Unmarshal(data, &asked); err != nil {
		return "", err
	}
	answer.Body.Answer = string(caller.OIN())
	text, err := xml.Marshal(answer)
	return xml.Header + string(text), err
}

// exchange takes a message from the party of the agreement that it is from.
func (s *service) exchange(r *http.Request, caller pkioverheid.Identity) (string, error) {
	m, payload, err := receive(r)
	if err != nil {
		return "", err
	}
	cpa, err := logius.ReadCPA(strings.NewReader(s.agreement))
	if err != nil {
		return "", err
	}
	header := m.Header.Message
	switch {
	case header.CPA != cpa.ID:
		return "", errors.New("there is no such agreement")
	case header.From.Type != "urn:osb:oin" || header.From.Value != string(caller.OIN()):
		return "", errors.New("the message is not from the one who sends it")
	case header.To.Value != string(standin.ServiceOIN):
		return "", errors.New("the message is for another")
	case !bytes.Contains(payload, []byte("zaak")):
		return "", errors.New("there is no zaak in it")
	}
	ack := message{cpaID: cpa.ID, from: standin.ServiceOIN, to: caller.OIN(), id: "2@mijnoverheid.example"}
	return ack.envelope("Acknowledgment", fmt.Sprintf(`
<eb:Acknowledgment soap:mustUnderstand="1" soap:actor="urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH" eb:version="2.0"><eb:RefToMessageId>%s</eb:RefToMessageId></eb:Acknowledgment>`, escape(header.ID)), ""), nil
}

// register plays the CPA register: of the certificates of two parties it makes the
// agreement.
func register(upload []byte, theirs *x509.Certificate) (string, error) {
	block, rest := pem.Decode(upload)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return "", errors.New("the register takes one certificate")
	}
	own, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", err
	}
	party := func(name string, oin pkioverheid.OIN, cert *x509.Certificate) string {
		return fmt.Sprintf(`
  <tp:PartyInfo tp:partyName="%[1]s">
    <tp:PartyId tp:type="urn:osb:oin">%[2]s</tp:PartyId>
    <tp:Certificate tp:certId="%[1]s_cert"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>
      %[3]s
    </ds:X509Certificate></ds:X509Data></ds:KeyInfo></tp:Certificate>
    <tp:Transport tp:transportId="%[1]s_transport">
      <tp:TransportSender><tp:TransportClientSecurity><tp:ClientCertificateRef tp:certId="%[1]s_cert"/></tp:TransportClientSecurity></tp:TransportSender>
      <tp:TransportReceiver><tp:TransportServerSecurity><tp:ServerCertificateRef tp:certId="%[1]s_cert"/></tp:TransportServerSecurity></tp:TransportReceiver>
    </tp:Transport>
  </tp:PartyInfo>`, name, oin, base64.StdEncoding.EncodeToString(cert.Raw))
	}
	return xml.Header + `<tp:CollaborationProtocolAgreement xmlns:tp="http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" tp:cpaid="lopende-zaken-` + own.SerialNumber.String() + `" tp:version="2_0b">
  <tp:Status tp:value="agreed"/>` + party("Gemeente", standin.OwnOIN, own) + party("Logius", standin.ServiceOIN, theirs) + `
</tp:CollaborationProtocolAgreement>
`, nil
}
