package inbound

import "context"

// StartTLS asks admission whether there is room for a handshake. Behind it the client
// has to show anew who it is.
func (s *session) StartTLS(context.Context) error {
	if s.guest == nil {
		s.as = nil
		return nil
	}
	if d := s.in.options.Admission.StartTLS(&s.guest.Visit, s.in.options.Now()); d.Refused() {
		return refusal(&d)
	}
	s.become(nil)
	return nil
}
