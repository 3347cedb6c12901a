package crl_test

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
)

func TestStatusSaysWhetherAListCanBeUsedAndWhyNot(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	s.serve("/domain.crl", l.domain.list(between(now.Add(-time.Hour), now.Add(time.Hour))))
	s.handle("/root.crl", http.NotFound)
	dir := t.TempDir()
	put(t, dir+"/future.crl", l.issuing.list(between(now.Add(48*time.Hour), now.Add(72*time.Hour))))
	put(t, dir+"/broken.crl", []byte("not a CRL"))
	clock := newClock(now)
	c := newChecker(t, s, inFolder(dir), func(cfg *crl.Config) { cfg.Time = clock.now })
	assert.Error(t, c.Prefetch(t.Context(), l.chain()))
	verdict := func() map[string]crl.Status {
		all := map[string]crl.Status{}
		for _, st := range c.Status() {
			all[st.URL+st.File] = st
		}
		return all
	}
	at := verdict()
	require.Contains(t, at, s.URL+"/domain.crl")
	domain := at[s.URL+"/domain.crl"]
	assert.True(t, domain.Usable)
	assert.Empty(t, domain.Problem)
	assert.Equal(t, hex.EncodeToString(l.domain.SubjectKeyId), domain.IssuerKeyID)
	for place, why := range map[string]string{s.URL + "/root.crl": "there is no list: ", dir + "/future.crl": "in the future", dir + "/broken.crl": "there is no list: "} {
		assert.False(t, at[place].Usable, place)
		assert.Contains(t, at[place].Problem, why, place)
	}
	assert.Equal(t, hex.EncodeToString(l.root.SubjectKeyId), at[s.URL+"/root.crl"].IssuerKeyID)

	clock.advance(3 * time.Hour)
	domain = verdict()[s.URL+"/domain.crl"]
	assert.False(t, domain.Usable)
	assert.Contains(t, domain.Problem, "it ended at")
	text, err := json.Marshal(domain)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"issuerKeyID":"`+domain.IssuerKeyID+`","usable":false,"problem":"it ended at`)
}

// Two CAs of one name are two series of a gauge.
func TestStatusTellsCAsOfOneNameApart(t *testing.T) {
	dir := t.TempDir()
	one, two := newAuthority("CA", ecdsaKeyOf("one")), newAuthority("CA", ecdsaKeyOf("two"))
	put(t, dir+"/one.crl", one.list())
	put(t, dir+"/two.crl", two.list())
	c := newChecker(t, nil, inFolder(dir))
	all := c.Status()
	require.Len(t, all, 2)
	assert.Equal(t, all[0].Issuer, all[1].Issuer)
	assert.NotEmpty(t, all[0].IssuerKeyID)
	assert.NotEqual(t, all[0].IssuerKeyID, all[1].IssuerKeyID)
}
