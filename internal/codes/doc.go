// Package codes is the web reference of replies: pages for each reply code, each
// enhanced status code, each reason, each pair of codes, each provider, the guides,
// and a box that explains what is pasted into it.
//
// Its rule: it has no knowledge and no words of its own. Both come from package
// reply/catalog; here is only how they look and where they stand. Every page is
// HTML that needs no script, and asks nobody but the server that it came from.
//
// Handler serves the pages, Export writes them as files. Answer is the box alone,
// and is what the exported site runs in the browser.
package codes
