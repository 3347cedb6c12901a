package profile

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Section 4.2.1.10: below a CA with permitted subtrees for mail or URIs, every mail
// address or URI is in one: the mailbox with an at sign, a host below a domain with a dot
// before it, and otherwise the very host. crypto/x509 takes the last for a domain too.
// What is self-issued and not the end of the path is not asked (section 6.1.4).
func rfcPermittedNames(s *subject) string {
	if len(s.EmailAddresses) == 0 && len(s.URIs) == 0 || !s.leaf && selfIssued(s.Certificate) {
		return ""
	}
	for _, ca := range s.above {
		if len(s.EmailAddresses) > 0 && len(ca.PermittedEmailAddresses) > 0 {
			permitted := newSubtrees(ca.PermittedEmailAddresses)
			for _, address := range s.EmailAddresses {
				if !permitted.mail(address) {
					return fmt.Sprintf("the mail address %s is in no permitted subtree of %s", safetext.Quote(address), safetext.Certificate(ca))
				}
			}
		}
		if len(s.URIs) > 0 && len(ca.PermittedURIDomains) > 0 {
			permitted := newSubtrees(ca.PermittedURIDomains)
			for _, uri := range s.URIs {
				if !permitted.host(hostOf(uri)) {
					return fmt.Sprintf("the host of the URI %s is in no permitted subtree of %s", safetext.Quote(uri.String()), safetext.Certificate(ca))
				}
			}
		}
	}
	return ""
}

// subtrees are those for mail or for URIs, with their hosts in lower case.
type subtrees map[string]bool

func newSubtrees(bases []string) subtrees {
	s := make(subtrees, len(bases))
	for _, base := range bases {
		s[sameMail(base)] = true
	}
	return s
}

func (s subtrees) mail(address string) bool {
	return s[sameMail(address)] || s.host(address[strings.LastIndexByte(address, '@')+1:])
}

func (s subtrees) host(host string) bool {
	if host == "" || len(host) > 253 {
		return false
	}
	host = strings.ToLower(host)
	if s[host] {
		return true
	}
	for i := 1; i < len(host); i++ {
		if host[i] == '.' && s[host[i:]] {
			return true
		}
	}
	return false
}

// hostOf is without the port.
func hostOf(uri *url.URL) string {
	if host, _, err := net.SplitHostPort(uri.Host); err == nil {
		return host
	}
	return uri.Host
}
