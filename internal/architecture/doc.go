// Package architecture holds the shape of the project: which package may
// import which, where libraries may be used, and that everything exported is
// explained. It has no code, only tests.
//
// The rule that it keeps: a new arrow between packages is seen in the change
// that draws it. A package that stands in no table fails the test, so that a
// new one begins with the question what it may know. docs/ARCHITECTURE.md
// tells the same in words.
package architecture
