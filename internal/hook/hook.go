// Package hook lets packages of this module reach into emf where users must not. Its
// variables are set when emf is initialised; they are of any type because emf imports them.
package hook

// Sealed is an emf.Option that makes the emitter ignore the environment, for tests that must
// not depend on it.
var Sealed any

// HasRollups is a func(*emf.Emitter) bool: whether WithRollups decides on the dimension sets.
var HasRollups any

// Across is a func(*emf.Event, []*emf.Recorder) *emf.Recorder. What it returns belongs to the
// event, and publishes each value under the dimensions of all of these recorders of its
// emitter, which must be different and agree on the values of the dimensions they share.
var Across any

// Report is a func(e *emf.Emitter, message string, err error). It logs to where the emitter
// logs, each message once a minute.
var Report any

// Dissolve is a func(*emf.Event). It ends the event without a document: its values go to the
// emitter's own recorders, as if they had been recorded there, and its properties go nowhere.
var Dissolve any
