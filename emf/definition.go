package emf

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
)

type kind uint8

const (
	counter kind = iota
	gauge
	gaugeFunc
	histogram
	samples // the values of gauges that other recorders pass on
)

// definition is a metric as it is declared. It is shared by all series that declare
// the same, and holds what a document says of it, escaped once.
type definition struct {
	kind       kind
	name       string
	hash       uint64 // of the name
	unit       Unit
	resolution Resolution
	precision  Precision // of a histogram; 0: of the quantiles that people read
	void       reason    // other than kept: recordings are dropped for this reason

	member string // `"latency":`
	entry  string // `{"Name":"latency","Unit":"Milliseconds"}`

	next atomic.Pointer[definition] // another declaration of the same name
}

func newDefinition(k kind, name string, want declaration, why reason) *definition {
	d := &definition{kind: k, name: name, hash: maphash.String(hashSeed, name), unit: want.unit, resolution: want.resolution, precision: want.precision, void: why}
	var quoted strings.Builder
	quoted.Write(appendString(nil, name))
	d.member = quoted.String() + ":"
	d.entry = `{"Name":` + quoted.String()
	if d.unit != None {
		d.entry += `,"Unit":"` + string(d.unit) + `"`
	}
	if d.resolution == HighResolution {
		d.entry += `,"StorageResolution":1`
	}
	d.entry += "}"
	return d
}

// answers reports whether a look-up for kind k and the options given in want means
// this definition.
func (d *definition) answers(k kind, want declaration) bool {
	return d.kind == k &&
		(want.unit == "" || want.unit == d.unit) &&
		(want.resolution == 0 || want.resolution == d.resolution)
}

// definitions holds all definitions of an emitter by name, those of one name in the
// order in which they were declared. Reading takes no lock.
type definitions struct {
	byName    sync.Map // string to *definition
	mu        sync.Mutex
	precision Precision // where none is declared
}

// find returns the first definition of that name that answers.
func (ds *definitions) find(k kind, name string, want declaration, why reason) *definition {
	first, ok := ds.byName.Load(name)
	if !ok {
		return nil
	}
	for d := first.(*definition); d != nil; d = d.next.Load() {
		if d.void == why && d.answers(k, want) {
			return d
		}
	}
	return nil
}

// declare returns the definition that answers, made if there is none. What want
// leaves open is settled by the first declaration of the name and kind anywhere in
// the emitter, so that a metric can be declared in one place and used in others.
func (ds *definitions) declare(k kind, name string, want declaration, why reason) *definition {
	if d := ds.find(k, name, want, why); d != nil {
		return d
	}
	ds.mu.Lock()
	defer ds.mu.Unlock()
	if d := ds.find(k, name, want, why); d != nil {
		return d
	}
	if want.unit == "" {
		want.unit = None
		if k == counter {
			want.unit = Count
		}
	}
	if want.resolution == 0 {
		want.resolution = StandardResolution
	}
	if want.precision == 0 {
		want.precision = ds.precision
	}
	d := newDefinition(k, name, want, why)
	first, loaded := ds.byName.LoadOrStore(name, d)
	if loaded {
		last := first.(*definition)
		for next := last.next.Load(); next != nil; next = last.next.Load() {
			last = next
		}
		last.next.Store(d)
	}
	return d
}
