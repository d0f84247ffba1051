// Package verdict judges what a peer said, or that it said nothing: whether
// the mail is done, is to be tried again, or has to go back, and how far that
// judgement reaches.
//
// Its rule: the judgement is a pure function of the stage and the reply. It
// looks at no state, so that every pair of stage and reply can be tested.
package verdict
