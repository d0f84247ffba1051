package resources

// Reading is what a sensor says about one thing.
type Reading struct {
	// Name is what was measured: "disk", "disk-files", "descriptors".
	Name string
	// Value and Limit are in Unit. Where Value is what is left, Limit is how
	// much there is in all.
	Value, Limit float64
	// Unit is "bytes", "files" or "descriptors".
	Unit string
	// Source says where Limit was found.
	Source string
	// Unavailable says why there is no value; empty where there is one.
	Unavailable string
}
