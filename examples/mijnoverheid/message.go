package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// message is one of ebMS 2.0: a SOAP envelope that says who sends what under which
// agreement, and the payload, as parts of a multipart/related body.
type message struct {
	cpaID    string
	from, to pkioverheid.OIN
	id       string
	payload  string
}

const msgHeader = "http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd"

// ebEnvelope is what is read of such an envelope.
type ebEnvelope struct {
	XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Header  struct {
		Message struct {
			From partyID `xml:"http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd From>PartyId"`
			To   partyID `xml:"http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd To>PartyId"`
			CPA  string  `xml:"http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd CPAId"`
			ID   string  `xml:"http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd MessageData>MessageId"`
		} `xml:"http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd MessageHeader"`
		Acknowledgment *struct {
			RefTo string `xml:"http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd RefToMessageId"`
		} `xml:"http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd Acknowledgment"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Header"`
}

type partyID struct {
	Type  string `xml:"type,attr"`
	Value string `xml:",chardata"`
}

// envelope writes the SOAP envelope: that of a message, or of its acknowledgment.
func (m message) envelope(action, more, body string) string {
	return fmt.Sprintf(`%s<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:eb="%s" xmlns:xlink="http://www.w3.org/1999/xlink">
<soap:Header>
<eb:MessageHeader soap:mustUnderstand="1" eb:version="2.0">
 <eb:From><eb:PartyId eb:type="urn:osb:oin">%s</eb:PartyId></eb:From>
 <eb:To><eb:PartyId eb:type="urn:osb:oin">%s</eb:PartyId></eb:To>
 <eb:CPAId>%s</eb:CPAId>
 <eb:ConversationId>1</eb:ConversationId>
 <eb:Service eb:type="urn:example">zaken</eb:Service>
 <eb:Action>%s</eb:Action>
 <eb:MessageData><eb:MessageId>%s</eb:MessageId><eb:Timestamp>%s</eb:Timestamp></eb:MessageData>
</eb:MessageHeader>%s
</soap:Header>
<soap:Body>%s</soap:Body>
</soap:Envelope>`, xml.Header, msgHeader, escape(string(m.from)), escape(string(m.to)), escape(m.cpaID), action, escape(m.id), time.Now().UTC().Format(time.RFC3339), more, body)
}

func escape(s string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(s)) // a Buffer takes everything
	return b.String()
}

// exchange sends a message and waits for its acknowledgment.
func exchange(client *http.Client, url string, m message) error {
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for _, part := range []struct{ id, kind, text string }{
		{"envelope@koppeling.example", "text/xml; charset=utf-8", m.envelope("zend", "",
			`<eb:Manifest eb:version="2.0"><eb:Reference xlink:type="simple" xlink:href="cid:payload@koppeling.example"/></eb:Manifest>`)},
		{"payload@koppeling.example", "application/xml", m.payload},
	} {
		w, err := parts.CreatePart(textproto.MIMEHeader{"Content-Id": {"<" + part.id + ">"}, "Content-Type": {part.kind}})
		if err != nil {
			return err
		}
		io.WriteString(w, part.text)
	}
	if err := parts.Close(); err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, url, &body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", mime.FormatMediaType("multipart/related", map[string]string{
		"type": "text/xml", "start": "<envelope@koppeling.example>", "boundary": parts.Boundary(),
	}))
	req.Header.Set("SOAPAction", `"ebXML"`)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %.200q", resp.Status, text)
	}
	var answer ebEnvelope
	if err := xml.Unmarshal(text, &answer); err != nil {
		return err
	}
	if ack := answer.Header.Acknowledgment; ack == nil || ack.RefTo != m.id {
		return errors.New("the answer is not an acknowledgment of our message")
	}
	return nil
}

// receive reads a message from a request.
func receive(r *http.Request) (ebEnvelope, []byte, error) {
	var e ebEnvelope
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/related" || params["type"] != "text/xml" {
		return e, nil, errors.New("the message is not a multipart/related of text/xml")
	}
	parts := multipart.NewReader(io.LimitReader(r.Body, 1<<20), params["boundary"])
	var texts [2][]byte
	for i := range texts {
		part, err := parts.NextPart()
		if err != nil {
			return e, nil, err
		}
		if texts[i], err = io.ReadAll(part); err != nil {
			return e, nil, err
		}
	}
	if err := xml.Unmarshal(texts[0], &e); err != nil {
		return e, nil, err
	}
	return e, texts[1], nil
}
