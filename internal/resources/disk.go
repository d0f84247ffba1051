package resources

// Disk measures the room on a disk. It is as safe for concurrent use as the
// function that it asks.
type Disk struct {
	room func() (bytes, totalBytes, files, totalFiles int64, err error)
}

// NewDisk returns the sensor for a disk. Room tells the bytes and files that
// are left and that there can be at all; negative numbers are not known. A
// dead file system over the network may keep room waiting, so whoever reads
// should not do so where nothing else must wait.
func NewDisk(room func() (bytes, totalBytes, files, totalFiles int64, err error)) *Disk {
	return &Disk{room: room}
}

// Read returns how many bytes and how many files are left, the limit being how
// many there can be at all.
func (d *Disk) Read() (bytes, files Reading) {
	left, total, filesLeft, filesTotal, err := d.room()
	bytes = roomReading("disk", "bytes", left, total)
	files = roomReading("disk-files", "files", filesLeft, filesTotal)
	if err != nil {
		bytes.Unavailable, files.Unavailable = err.Error(), err.Error()
	}
	return bytes, files
}

func roomReading(name, unit string, left, total int64) Reading {
	r := Reading{Name: name, Unit: unit, Source: "size of the file system"}
	if left < 0 || total <= 0 {
		r.Unavailable = "the file system does not count its " + unit
		return r
	}
	r.Value, r.Limit = float64(left), float64(total)
	return r
}
