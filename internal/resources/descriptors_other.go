//go:build !linux

package resources

// countDescriptors is not known here.
func countDescriptors(Options) (open int, limit uint64, err error) { return 0, 0, ErrUnsupported }
