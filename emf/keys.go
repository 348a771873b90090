package emf

import (
	"slices"
	"strings"
	"sync/atomic"
)

// keys is what recorders with the same dimension names, in the same order, have in common.
// There is a recorder for each tenant, but one keys for all of them.
type keys struct {
	e      *Emitter
	names  []string // of the dimensions
	sets   string   // as the directive has them: `["Service","TenantID"]`
	count  uint16   // of dimensions
	weight uint16   // sets, under each of which a value is published
	hidden bool     // of recorders found by the store only, see [store.views]

	clash atomic.Bool // a dimension or metric has the name of one of the emitter's properties
	known atomic.Pointer[[]known]
}

// known is a metric that events under these keys have had: nothing is wrong with its name.
type known struct {
	kind kind
	name string
	want declaration
	def  *definition
}

// maxKnown bounds what is searched one by one.
const maxKnown = 64

// find returns the definition of a metric that is known; at is where it may stand.
func (ks *keys) find(at int, k kind, name string, want declaration) *definition {
	list := ks.known.Load()
	if list == nil {
		return nil
	}
	if at < len(*list) && (*list)[at].is(k, name, want) {
		return (*list)[at].def
	}
	for i := range *list {
		if (*list)[i].is(k, name, want) {
			return (*list)[i].def
		}
	}
	return nil
}

func (kn *known) is(k kind, name string, want declaration) bool {
	return kn.kind == k && kn.name == name && kn.want == want
}

// remember makes a metric known.
func (ks *keys) remember(k kind, name string, want declaration, def *definition) {
	for {
		var list []known
		old := ks.known.Load()
		if old != nil {
			list = *old
		}
		if len(list) == maxKnown {
			return
		}
		list = append(slices.Clip(list), known{k, strings.Clone(name), want, def})
		if ks.known.CompareAndSwap(old, &list) {
			return
		}
	}
}

// keyring has an emitter's keys, each once, by their text. It is guarded by the store's lock.
type keyring struct {
	byText map[string]*keys
	text   []byte
}

// of returns the keys of these dimensions.
func (kr *keyring) of(e *Emitter, dims []Dimension, hidden bool) *keys {
	kr.text = appendNames(kr.text[:0], dims)
	if hidden {
		kr.text = append(kr.text, '*')
	}
	if ks := kr.byText[string(kr.text)]; ks != nil {
		return ks
	}
	ks := &keys{
		e:      e,
		sets:   string(appendNames(nil, dims[:min(len(dims), maxDimensions)])),
		count:  uint16(len(dims)),
		weight: 1,
		hidden: hidden,
	}
	for _, d := range dims {
		name := strings.Clone(d.Name)
		ks.names = append(ks.names, name)
		if e.properties.has(name) {
			ks.clash.Store(true)
		}
	}
	return kr.add(ks)
}

// under returns the same keys for recorders that publish under the sets of others.
func (kr *keyring) under(ks *keys, others []*Recorder) *keys {
	var weight uint16
	sets := make([]string, 0, 8)
	for _, r := range others {
		sets = append(sets, r.sets)
		weight += r.weight
	}
	joined := strings.Join(sets, ",")
	kr.text = append(append(kr.text[:0], ','), joined...) // as nothing in of begins
	for _, name := range ks.names {
		kr.text = appendString(kr.text, name)
	}
	if found := kr.byText[string(kr.text)]; found != nil {
		return found
	}
	other := &keys{e: ks.e, names: ks.names, sets: joined, count: ks.count, weight: weight}
	other.clash.Store(ks.clash.Load())
	return kr.add(other)
}

// add adds keys under the text.
func (kr *keyring) add(ks *keys) *keys {
	if kr.byText == nil {
		kr.byText = make(map[string]*keys)
	}
	kr.byText[string(kr.text)] = ks
	return ks
}

// appendNames appends the names of dimensions as a directive has them.
func appendNames(dst []byte, dims []Dimension) []byte {
	dst = append(dst, '[')
	for i, d := range dims {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, d.Name)
	}
	return append(dst, ']')
}
