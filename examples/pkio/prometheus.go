package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// metrics are what pkio writes for Prometheus, with their help.
var metrics = map[string]string{
	"pkio_certificate_deadline_timestamp_seconds":  "When the certificate must have been replaced.",
	"pkio_certificate_not_after_timestamp_seconds": "When the certificate ends.",
	"pkio_certificate_state":                       "What is to be done about the certificate: now, fix, soon, later, ok or accepted.",
	"pkio_certificates":                            "How many certificates there are of each state, each once: now, fix, soon, later, ok or accepted, and of CAs cas_to_take_out (now) or cas_to_trust (their successor is to be trusted too).",
	"pkio_not_read":                                "How many places could not be looked at.",
	"pkio_run_timestamp_seconds":                   "When the run began.",
}

// maxSeries bounds the series of each of the metrics: the most urgent come first.
const maxSeries = 10_000

// prometheus returns the audit in the text format of Prometheus. A certificate is one
// series for each use and each system (file or server) in which it is.
func (a *audit) prometheus() []byte {
	var deadlines, ends, states []string
	seen := map[string]bool{} // a series that is there twice makes Prometheus refuse all
	for whole := range a.unfolded() {
		if whole.Do == classOther {
			continue
		}
		_, own := whole.Apart()
		for i := range whole.Places {
			c := whole
			if own != nil && !c.Places[i].WrongKey() && c.Accepted == nil {
				if c = own; c.Do == classOther {
					continue
				}
			}
			labels := labelsOf(c, &c.Places[i])
			if seen[labels] || len(seen) == maxSeries {
				continue
			}
			seen[labels] = true
			state := string(c.Do)
			if c.Accepted != nil {
				state = "accepted"
			}
			states = append(states, "{"+labels+`,state="`+state+`"} 1`)
			ends = append(ends, "{"+labels+"} "+strconv.FormatInt(c.NotAfter.Unix(), 10))
			if day, err := time.Parse(time.DateOnly, c.Deadline); err == nil && c.Accepted == nil && c.Do.NeedsAction() {
				deadlines = append(deadlines, "{"+labels+"} "+strconv.FormatInt(day.AddDate(0, 0, 1).Unix()-1, 10))
			}
		}
	}
	var counts []string
	for _, k := range []struct {
		state string
		n     int
	}{{"now", a.Summary.Now}, {"fix", a.Summary.Fix}, {"soon", a.Summary.Soon}, {"later", a.Summary.Later}, {"ok", a.Summary.OK}, {"accepted", a.Summary.Accepted}, {"cas_to_take_out", a.Summary.TakeOut}, {"cas_to_trust", a.Summary.Trust}} {
		counts = append(counts, fmt.Sprintf("{state=%q} %d", k.state, k.n))
	}
	var out bytes.Buffer
	family(&out, "pkio_certificate_deadline_timestamp_seconds", deadlines)
	family(&out, "pkio_certificate_not_after_timestamp_seconds", ends)
	family(&out, "pkio_certificate_state", states)
	family(&out, "pkio_certificates", counts)
	family(&out, "pkio_not_read", []string{" " + strconv.Itoa(a.Summary.NotRead)})
	family(&out, "pkio_run_timestamp_seconds", []string{" " + strconv.FormatInt(a.Run.Start.Unix(), 10)})
	return out.Bytes()
}

func family(out *bytes.Buffer, name string, samples []string) {
	if len(samples) == 0 {
		return
	}
	fmt.Fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, metrics[name], name)
	for _, s := range samples {
		fmt.Fprintf(out, "%s%s\n", name, s)
	}
}

// labelText escapes a label's value.
var labelText = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// labelsOf are those of a certificate at a place. The first 16 digits of its SHA-256 part
// two certificates of one name.
func labelsOf(c *certificate, p *place) string {
	labels := fmt.Sprintf(`sha256="%s",name="%s",hierarchy="%s",use="%s",place="%s"`,
		c.SHA256[:min(16, len(c.SHA256))], labelText.Replace(c.Name), labelText.Replace(c.Hierarchy), labelText.Replace(p.Use), labelText.Replace(systemOf(p)))
	if p.Machine != "" {
		labels += `,machine="` + labelText.Replace(p.Machine) + `"`
	}
	return labels
}
