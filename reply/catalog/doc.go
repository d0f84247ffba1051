// Package catalog explains the replies of mail servers: what each code, each
// enhanced status code and each reason means, when it is seen, who has to act,
// and how codes differ from each other.
//
// Its rule: each thing is said once. Facts stand in data, without a word of any
// language; texts stand in one folder for each language below text; explanations
// hang on the reason of a reply (package classify), and a code, a stage or a
// provider adds only what is its own. A language is offered whole or not at all.
//
// Begin with [In], which returns the catalogue in a language. All of it is
// embedded, is read when it is first asked for, and is safe for concurrent use.
// Nobody changes what the functions return: pages share their slices.
package catalog
