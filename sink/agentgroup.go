package sink

import (
	"bytes"
	"encoding/json"
	"errors"
)

// addressee puts the names of a log group and a log stream into documents that have none.
type addressee struct {
	group, stream []byte // members, such as `"LogGroupName":"shop",`; empty: none is put in
	anyGroup      bool   // documents without a group may stay so
}

var (
	errNoDocument = errors.New(`the document has no "_aws" object: the CloudWatch agent would drop it silently`)
	errNoLogGroup = errors.New("the document has no _aws.LogGroupName: the CloudWatch agent would drop it silently; use sink.WithAgentLogGroup or emf.WithLogGroup")
)

func newAddressee(group, stream string, anyGroup bool) *addressee {
	a := &addressee{anyGroup: anyGroup}
	if group != "" {
		a.group = jsonMember("LogGroupName", group)
	}
	if stream != "" {
		a.stream = jsonMember("LogStreamName", stream)
	}
	return a
}

func jsonMember(name, value string) []byte {
	text, _ := json.Marshal(value) // a string always has a JSON form
	return append(append([]byte(`"`+name+`":`), text...), ',')
}

// address appends a document to dst, with the names that it lacks.
func (a *addressee) address(dst, doc []byte) ([]byte, error) {
	in := jsonCursor{text: doc}
	if !in.find("_aws") || !in.open() {
		return dst, errNoDocument
	}
	at := in.i
	hasGroup, hasStream, empty := false, false, true
	sound := in.members(func(key []byte) bool {
		empty = false
		switch string(key) {
		case "LogGroupName":
			hasGroup = true
		case "LogStreamName":
			hasStream = true
		}
		return hasGroup && (hasStream || len(a.stream) == 0)
	})
	if !sound {
		return dst, errNoDocument
	}
	if !hasGroup && len(a.group) == 0 && !a.anyGroup {
		return dst, errNoLogGroup
	}
	dst = append(dst, doc[:at]...)
	added := len(dst)
	if !hasGroup {
		dst = append(dst, a.group...)
	}
	if !hasStream {
		dst = append(dst, a.stream...)
	}
	if empty && len(dst) > added {
		dst = dst[:len(dst)-1] // the comma
	}
	return append(dst, doc[at:]...), nil
}

// jsonCursor steps through a JSON text without reading what it steps over. A text that is
// no JSON makes its methods fail, or not; they never look beyond it.
type jsonCursor struct {
	text []byte
	i    int
}

// next returns the byte that comes after white space, 0 at the end.
func (c *jsonCursor) next() byte {
	for ; c.i < len(c.text); c.i++ {
		switch b := c.text[c.i]; b {
		case ' ', '\t', '\n', '\r':
		default:
			return b
		}
	}
	return 0
}

// open enters an object.
func (c *jsonCursor) open() bool {
	if c.next() != '{' {
		return false
	}
	c.i++
	return true
}

// find enters an object and goes to the value of a member.
func (c *jsonCursor) find(name string) (found bool) {
	return c.open() && c.members(func(key []byte) bool {
		found = string(key) == name
		return found
	}) && found
}

// members calls stop for each member of an object that was entered, until it returns true:
// the cursor is then at that member's value. It reports whether the object was sound so far.
func (c *jsonCursor) members(stop func(key []byte) bool) bool {
	for c.next() != '}' {
		key, ok := c.string()
		if !ok || c.next() != ':' {
			return false
		}
		c.i++
		if stop(key) {
			return true
		}
		if !c.skip() {
			return false
		}
		switch c.next() {
		case ',':
			c.i++
		case '}':
		default:
			return false
		}
	}
	return true
}

// string passes over a string and returns what it says.
func (c *jsonCursor) string() (text []byte, ok bool) {
	if c.next() != '"' {
		return nil, false
	}
	start := c.i
	if !c.skipString() {
		return nil, false
	}
	quoted := c.text[start:c.i]
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1], true
	}
	var plain string
	err := json.Unmarshal(quoted, &plain)
	return []byte(plain), err == nil
}

// skip passes over a value.
func (c *jsonCursor) skip() bool {
	switch c.next() {
	case '"':
		return c.skipString()
	case '{', '[':
		return c.skipNested()
	}
	c.skipWord()
	return c.i < len(c.text)
}

// skipNested passes over an object or array. Which of the two ends is not looked at.
func (c *jsonCursor) skipNested() bool {
	for depth := 0; c.i < len(c.text); c.i++ {
		switch c.text[c.i] {
		case '"':
			if !c.skipString() {
				return false
			}
			c.i--
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				c.i++
				return true
			}
		}
	}
	return false
}

func (c *jsonCursor) skipString() bool {
	for c.i++; c.i < len(c.text); c.i++ {
		switch c.text[c.i] {
		case '"':
			c.i++
			return true
		case '\\':
			c.i++
		}
	}
	return false
}

// skipWord passes over a number, true, false or null.
func (c *jsonCursor) skipWord() {
	for ; c.i < len(c.text); c.i++ {
		switch c.text[c.i] {
		case ',', ']', '}', ' ', '\t', '\n', '\r':
			return
		}
	}
}
