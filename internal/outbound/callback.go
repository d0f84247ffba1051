package outbound

import (
	"context"
	"errors"
	"fmt"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

// maxAway bounds how many of the messages that a lane has sent back it remembers.
// The others come at their appointments.
const maxAway = 10_000

// sent remembers a message that the lane has sent back to the spool.
func (d *destination) sent(id mail.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.gone) < maxAway {
		d.gone = append(d.gone, id)
	}
}

// takeAway returns them, and forgets them.
func (d *destination) takeAway() []mail.ID {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := d.gone
	d.gone = nil
	return ids
}

// callBack makes the messages due now that a lane has sent back, because the time of
// their appointments was that of a suspension that is over.
func (out *Outbound) callBack(ctx context.Context, d *destination) error {
	for _, id := range d.takeAway() {
		err := out.options.Spool.Retime(ctx, id, out.now())
		if err != nil && !errors.Is(err, spool.ErrNotFound) {
			return fmt.Errorf("calling message %v of the lane %s: %w", id, d.name, err)
		}
	}
	return nil
}
