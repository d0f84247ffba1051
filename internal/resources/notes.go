package resources

import "strings"

// notes collects what could not be read while other things could.
type notes []string

func (n *notes) add(err error) {
	if err != nil {
		*n = append(*n, err.Error())
	}
}

func (n *notes) String() string { return strings.Join(*n, "; ") }
