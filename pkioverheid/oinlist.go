package pkioverheid

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// OINList is a list of OINs that may change while a server runs. Its method Allow is an
// [Authorizer] that lets in whom [AllowOIN] would. The zero value lets in nobody. It is safe
// for concurrent use and must not be copied.
type OINList struct {
	oins atomic.Pointer[map[OIN]bool]
}

// Set replaces the whole list. If one of the OINs is not valid, that is the error and
// the list stays what it was.
func (l *OINList) Set(oins ...OIN) error {
	list := make(map[OIN]bool, len(oins))
	for _, oin := range oins {
		if err := oin.Validate(); err != nil {
			return fmt.Errorf("pkioverheid: the list of OINs stays as it was: %w", err)
		}
		list[oin] = true
	}
	l.oins.Store(&list)
	return nil
}

// Allow lets in systems whose certificate bears an OIN of the list.
func (l *OINList) Allow(id Identity) error {
	if l == nil {
		return unusable(errors.New("pkioverheid: OINList.Allow: the list is nil"))(id)
	}
	if err := checkSystem(id); err != nil || id.isProbe() {
		return err
	}
	if id.oin == "" {
		return errNoOIN()
	}
	if list := l.oins.Load(); list == nil || !(*list)[id.oin] {
		return errNotListed(id.oin)
	}
	return nil
}
