package smtpserver

import (
	"net"
	"net/netip"

	"github.com/weirmail/weir/smtp"
)

// behalf is on whose behalf a trusted peer speaks: what its XCLIENT commands have
// said, the later over the earlier.
type behalf struct{ said smtp.XCLIENT }

func trustsXCLIENT(c *Conn) bool {
	trusts := c.server.Offers.XCLIENT
	return trusts != nil && trusts(c.tcp.RemoteAddr())
}

// XCLIENT returns what a trusted peer said about the client that it speaks for; ok
// is false where it said nothing. The name and the login are the peer's word alone.
func (c *Conn) XCLIENT() (said smtp.XCLIENT, ok bool) {
	if c.behalf == nil {
		return smtp.XCLIENT{}, false
	}
	return c.behalf.said, true
}

// xclient handles XCLIENT, as Postfix has it: the session is another's from here on,
// and begins anew with a greeting.
func (c *Conn) xclient(args []byte) {
	if !c.extended {
		c.reject(ReplyBadSequence, "XCLIENT", c.helloAdvice())
		return
	}
	if c.tx != nil {
		c.reject(ReplyBadSequence, "XCLIENT", "a transaction is in progress, RSET ends it")
		return
	}
	said, err := smtp.ParseXCLIENT(args)
	if err != nil {
		c.reject(ReplySyntax, problemOf(err))
		return
	}
	if c.spend() {
		return
	}
	if c.behalf == nil {
		c.behalf = &behalf{}
	}
	c.behalf.add(said)
	c.helo, c.extended = "", false
	c.session.Close()
	c.session = nil
	c.stage = smtp.StageConnect
	c.beginSession()
}

// add takes the attributes that a command names.
func (b *behalf) add(x smtp.XCLIENT) {
	given := func(bit smtp.XCLIENTSet) bool { return x.Given&bit != 0 }
	b.said.Given |= x.Given
	if given(smtp.XCLIENTName) {
		b.said.Name, b.said.NameTemporary = x.Name, x.NameTemporary
	}
	if given(smtp.XCLIENTAddr) {
		b.said.Addr = x.Addr
	}
	if given(smtp.XCLIENTPort) {
		b.said.Port = x.Port
	}
	if given(smtp.XCLIENTProto) {
		b.said.Proto = x.Proto
	}
	if given(smtp.XCLIENTHELO) {
		b.said.HELO = x.HELO
	}
	if given(smtp.XCLIENTLogin) {
		b.said.Login = x.Login
	}
	if given(smtp.XCLIENTDestAddr) {
		b.said.DestAddr = x.DestAddr
	}
	if given(smtp.XCLIENTDestPort) {
		b.said.DestPort = x.DestPort
	}
}

func (b *behalf) remote(peer net.Addr) net.Addr {
	return b.address(peer, smtp.XCLIENTAddr, b.said.Addr, smtp.XCLIENTPort, b.said.Port)
}

func (b *behalf) local(own net.Addr) net.Addr {
	return b.address(own, smtp.XCLIENTDestAddr, b.said.DestAddr, smtp.XCLIENTDestPort, b.said.DestPort)
}

// address puts what was said over an address. One that was said to be unavailable
// is nobody's: it must not pass for the trusted peer's own.
func (b *behalf) address(of net.Addr, a smtp.XCLIENTSet, addr netip.Addr, p smtp.XCLIENTSet, port uint16) net.Addr {
	if b.said.Given&(a|p) == 0 {
		return of
	}
	was, _ := of.(*net.TCPAddr)
	if was == nil {
		was = &net.TCPAddr{}
	}
	now := was.AddrPort()
	if b.said.Given&a != 0 {
		now = netip.AddrPortFrom(addr, 0)
	}
	if b.said.Given&p != 0 {
		now = netip.AddrPortFrom(now.Addr(), port)
	}
	return net.TCPAddrFromAddrPort(now)
}
