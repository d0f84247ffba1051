package inbound

import "context"

// StartTLS asks admission whether there is room for a handshake.
func (s *session) StartTLS(context.Context) error {
	if s.guest == nil {
		return nil
	}
	if d := s.in.options.Admission.StartTLS(&s.guest.Visit, s.in.options.Now()); d.Refused() {
		return refusal(&d)
	}
	return nil
}
