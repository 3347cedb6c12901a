package samlsig

import (
	"iter"

	"github.com/beevik/etree"

	"github.com/go-pkioverheid/trust/truststore/xmldoc"
)

// elements yields an element and all below it, in the order of the document.
func elements(el *etree.Element) iter.Seq[*etree.Element] {
	return func(yield func(*etree.Element) bool) { walk(el, yield) }
}

func walk(el *etree.Element, yield func(*etree.Element) bool) bool {
	if !yield(el) {
		return false
	}
	for _, child := range el.Child {
		if el, ok := child.(*etree.Element); ok && !walk(el, yield) {
			return false
		}
	}
	return true
}

func is(el *etree.Element, space, name string) bool {
	return el.Tag == name && el.NamespaceURI() == space
}

// attribute returns the attribute of no namespace, which etree and goxmldsig do not ask
// for.
func attribute(el *etree.Element, name string) (string, bool) {
	for _, a := range el.Attr {
		if a.Space == "" && a.Key == name {
			return a.Value, true
		}
	}
	return "", false
}

// signatureOf returns the first Signature that is a child of the root, or nil.
func signatureOf(root *etree.Element) *etree.Element {
	if found := below(root, "Signature"); len(found) > 0 {
		return found[0]
	}
	return nil
}

// below returns the elements of XML signatures at a path below another one; * is any
// name and namespace.
func below(el *etree.Element, path ...string) []*etree.Element {
	if el == nil {
		return nil
	}
	var found []*etree.Element
	for _, child := range el.Child {
		child, ok := child.(*etree.Element)
		switch {
		case !ok || path[0] != "*" && !is(child, xmldoc.Signature, path[0]):
		case len(path) == 1:
			found = append(found, child)
		default:
			found = append(found, below(child, path[1:]...)...)
		}
	}
	return found
}
