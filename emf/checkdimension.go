package emf

import (
	"hash/maphash"
	"slices"
)

// checkSets holds the rules about the dimension sets of a directive.
func (in *inspection) checkSets(d *readDirective) {
	for s := d.firstSet; s < d.endSet && !in.enough(); s++ {
		set := &in.sets[s]
		if n := set.end - set.first; n > limitDimensions {
			in.report(SeverityError, ruleDimensionCount, d.setPath(set.index),
				"The dimension set names %d dimensions, and CloudWatch takes at most %d: make some of them properties.", n, limitDimensions)
		}
		for i := set.first; i < set.end && !in.enough(); i++ {
			in.checkDimension(d, set, i, int32(s+1))
		}
	}
	if d.endSet-d.firstSet > 1 {
		in.checkRepeatedSets(d)
	}
}

// checkRepeatedSets looks for sets of the same names. It compares sums of hashes, which
// do not depend on the order of names.
func (in *inspection) checkRepeatedSets(d *readDirective) {
	in.sums = in.sums[:0]
	var many map[uint64]bool // in place of sums where there are too many to go through
	if d.endSet-d.firstSet > 16 {
		many = make(map[uint64]bool)
	}
	for s := d.firstSet; s < d.endSet; s++ {
		set := &in.sets[s]
		var sum uint64
		for _, name := range in.names[set.first:set.end] {
			sum += maphash.Bytes(keySeed, name.text)
		}
		repeated := many[sum]
		if many != nil {
			many[sum] = true
		} else {
			repeated = slices.Contains(in.sums, sum)
			in.sums = append(in.sums, sum)
		}
		if repeated && !in.mutes() {
			in.report(SeverityWarning, ruleDimensionSetRepeated, d.setPath(set.index),
				"The directive names this dimension set more than once: keep one, or values may count twice.")
		}
	}
}

// checkDimension looks up a name of a set. ordinal tells the set from others.
func (in *inspection) checkDimension(d *readDirective, set *readSet, i int, ordinal int32) {
	name := &in.names[i]
	path := func() string { return pointerElement(d.setPath(set.index), name.index) }
	in.checkName(&dimensionNameRules, name.text, path)
	name.member = in.member(name.text)
	if name.member < 0 {
		in.report(SeverityError, ruleDimensionMissing, path(),
			"The root has no member %q to take the value from: add it, or leave the dimension out.", clipText(name.text))
		return
	}
	m := &in.members[name.member]
	if m.inSet == ordinal && !in.mutes() {
		in.report(SeverityWarning, ruleDimensionRepeated, path(), "The set names %q more than once: keep one.", clipText(name.text))
	}
	m.inSet = ordinal
	if m.firstName == 0 {
		m.firstName = int32(i + 1)
		in.readDimensionValue(m, name)
	}
}

// readDimensionValue reads what stands under the name.
func (in *inspection) readDimensionValue(m *rootMember, name *readName) {
	path := func() string { return pointerMember("", name.text) }
	in.reader.open(in.text[m.start:m.end])
	if in.reader.kind() != kindString {
		in.report(SeverityError, ruleDimensionType, path(), "Make this a string: it is the value of a dimension.")
		return
	}
	name.value = in.reader.string()
	in.checkName(&dimensionValueRules, name.value, path)
}
