// Package hook lets packages of this module reach into emf where users must not.
package hook

// Sealed is an emf.Option that makes the emitter ignore the environment, for tests that must
// not depend on it.
var Sealed any
