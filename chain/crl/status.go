package crl

import (
	"cmp"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Status is the state of one CRL, for an endpoint that reports a program's health. Its
// JSON has the age in seconds, the error as text, and no empty fields.
type Status struct {
	// Issuer is the name of the CA; empty for a file that cannot be read.
	Issuer string

	// IssuerKeyID is the identifier of the key that signs the list, in hex, if it has one.
	IssuerKeyID string

	// Usable reports whether the list can say now that a certificate is not revoked.
	// Problem says why not.
	Usable  bool
	Problem string

	// URL or File is where the list comes from.
	URL, File string

	// Number is the CRL number in decimal; empty if there is none, or no list.
	Number string

	// ThisUpdate and NextUpdate are those of the list; zero if there is none.
	ThisUpdate, NextUpdate time.Time

	// Entries is how many certificates are on it.
	Entries int

	// Confirmed is when the server last gave this list or said that it has not changed;
	// else zero. Age is how long ago that was, or else how old the list is.
	Confirmed time.Time
	Age       time.Duration

	// NextRefresh is when it is fetched again; zero if it is not.
	NextRefresh time.Time

	// Notes are what is unusual about a list that is in use anyway: no CRL number, or a
	// delta CRL, which is not fetched.
	Notes []string

	// Err is why the last try to get or to cache a newer list failed, or that the list
	// gave way for room. Otherwise the list is in use until NextUpdate.
	Err error
}

// MarshalJSON encodes the Status as an object.
func (s Status) MarshalJSON() ([]byte, error) {
	out := struct {
		Issuer      string    `json:"issuer,omitempty"`
		IssuerKeyID string    `json:"issuerKeyID,omitempty"`
		Usable      bool      `json:"usable"`
		Problem     string    `json:"problem,omitempty"`
		URL         string    `json:"url,omitempty"`
		File        string    `json:"file,omitempty"`
		Number      string    `json:"number,omitempty"`
		ThisUpdate  time.Time `json:"thisUpdate,omitzero"`
		NextUpdate  time.Time `json:"nextUpdate,omitzero"`
		Entries     int       `json:"entries"`
		Confirmed   time.Time `json:"confirmed,omitzero"`
		AgeSeconds  int64     `json:"ageSeconds"`
		NextRefresh time.Time `json:"nextRefresh,omitzero"`
		Notes       []string  `json:"notes,omitempty"`
		Error       string    `json:"error,omitempty"`
	}{
		s.Issuer, s.IssuerKeyID, s.Usable, s.Problem, s.URL, s.File, s.Number, s.ThisUpdate, s.NextUpdate, s.Entries,
		s.Confirmed, int64(s.Age / time.Second), s.NextRefresh, s.Notes, "",
	}
	if s.Err != nil {
		out.Error = s.Err.Error()
	}
	return json.Marshal(out)
}

// describe adds what a list says, and whether it can be used.
func (s *Status) describe(l *storedList, now time.Time, skew time.Duration) {
	s.Issuer = safetext.Name(l.Issuer, safetext.MostDN)
	if id := l.AuthorityKeyID; len(id) > 0 {
		s.IssuerKeyID = keyID(id)
	}
	switch {
	case now.After(l.NextUpdate.Add(skew)):
		s.Problem = "it ended at " + inUTC(l.NextUpdate) + " and there is no successor"
	case l.ThisUpdate.After(now.Add(skew)):
		s.Problem = "it was made at " + inUTC(l.ThisUpdate) + ", which is in the future: is the clock right?"
	}
	s.Usable = s.Problem == ""
	if n := l.Number; n != nil {
		s.Number = n.String()
	}
	s.ThisUpdate, s.NextUpdate, s.Entries = l.ThisUpdate, l.NextUpdate, l.Len()
	s.Age = now.Sub(s.ThisUpdate)
	s.Notes = l.notes()
}

// keyID writes a key identifier, which a stranger may have made long.
func keyID(id []byte) string { return hex.EncodeToString(id[:min(len(id), sha512.Size)]) }

// without says that there is no list.
func (s Status) without() Status {
	if s.Problem = "there is no list"; s.Err != nil {
		s.Problem += ": " + safetext.Printable(s.Err.Error(), safetext.MostDN)
	}
	return s
}

func (s *store) status() []Status {
	now := s.now()
	var all []Status
	s.mu.RLock()
	for _, src := range s.sources {
		all = append(all, s.statusOf(src, now))
	}
	all = append(all, s.statusOfEvicted()...)
	s.mu.RUnlock()
	all = append(all, s.folder.status(now, s.skew)...)
	slices.SortFunc(all, func(a, b Status) int {
		return cmp.Or(cmp.Compare(a.Issuer, b.Issuer), cmp.Compare(a.IssuerKeyID, b.IssuerKeyID), cmp.Compare(a.URL, b.URL), cmp.Compare(a.File, b.File), a.ThisUpdate.Compare(b.ThisUpdate))
	})
	return all
}

// statusOf describes a source. The caller holds the lock.
func (s *store) statusOf(src *source, now time.Time) Status {
	st := Status{Issuer: safetext.Name(src.authority.cert.Subject, safetext.MostDN), URL: src.url, Err: src.err}
	st.IssuerKeyID = keyID(src.authority.cert.SubjectKeyId)
	if l := src.last(); l != nil {
		st.describe(l, now, s.skew)
	} else {
		st = st.without()
	}
	if st.Err == nil {
		st.Err = src.cacheErr
	}
	if !src.confirmed.IsZero() {
		st.Confirmed, st.Age = src.confirmed, now.Sub(src.confirmed)
	}
	switch {
	case s.closed:
	case src.running:
		st.NextRefresh = now
	case src.started && !src.resting(now):
		st.NextRefresh = time.Unix(0, src.due.Load()).UTC()
	}
	return st
}

// statusOfEvicted has one Status for each CA: the last list that gave way, and how
// many did. The caller holds the lock.
func (s *store) statusOfEvicted() []Status {
	type lost struct {
		*eviction
		lists int
	}
	byCA := map[sourceKey]lost{}
	for _, e := range s.evicted {
		key := keyOf("", e.ca)
		l := byCA[key]
		if l.eviction == nil || e.at.After(l.at) {
			l.eviction = e
		}
		l.lists++
		byCA[key] = l
	}
	var all []Status
	for _, l := range byCA {
		err := l.err()
		if l.lists > 1 {
			err = fmt.Errorf("%w; %d lists of the CA did", err, l.lists)
		}
		all = append(all, Status{Issuer: safetext.CA(l.ca.Subject), IssuerKeyID: keyID(l.ca.SubjectKeyId), URL: l.url, Err: err}.without())
	}
	return all
}

func (d *folder) status(now time.Time, skew time.Duration) []Status {
	contents := d.current.Load()
	if contents == nil {
		return nil
	}
	var all []Status
	if contents.err != nil {
		all = append(all, Status{File: d.path, Err: contents.err}.without())
	}
	for _, f := range slices.Concat(contents.files, contents.gone) {
		for _, l := range f.lists {
			st := Status{File: f.path, Err: f.err}
			st.describe(l, now, skew)
			all = append(all, st)
		}
		if len(f.lists) == 0 {
			all = append(all, Status{File: filepath.Clean(f.path), Err: f.err}.without())
		}
	}
	return all
}
