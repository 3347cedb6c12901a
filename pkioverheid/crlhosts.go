package pkioverheid

import (
	"net/url"
	"slices"
	"time"
)

// CRLRefresh is how often Digikoppeling asks for CRLs to be fetched again, at least
// (facts.md §7), for crl.Config.RefreshEvery.
const CRLRefresh = 4 * time.Hour

// tspCRLHosts are where TSPs publish the CRLs of end-entity certificates, as far as
// they are known here: KPN and QuoVadis (facts.md §7).
var tspCRLHosts = [...]string{"crl.managedpki.com", "crl.quovadisglobal.com"}

// CRLHosts returns the hosts of PKIoverheid's CRLs, for crl.Config.Hosts: those of the
// State, KPN and QuoVadis. TSPs may choose others: add the hosts under CRLDistributionPoints
// in your certificates and your peers'. The error of a host that is missing names it.
func CRLHosts() []string {
	var hosts []string
	for _, h := range Hierarchies() {
		for _, cert := range embedded()[h] {
			for _, address := range cert.CRLDistributionPoints {
				if u, err := url.Parse(address); err == nil && u.Host != "" && !slices.Contains(hosts, u.Host) {
					hosts = append(hosts, u.Host)
				}
			}
		}
	}
	return append(hosts, tspCRLHosts[:]...)
}
