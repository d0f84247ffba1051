// Sends one message by nodemailer: send.js ADDRESS tls|starttls MECHANISM USER SECRET
const nodemailer = require('nodemailer')
const [address, how, method, user, secret] = process.argv.slice(2)
const [host, port] = address.split(':')
const auth = method === 'XOAUTH2' ? { type: 'OAuth2', user, accessToken: secret } : { user, pass: secret }
nodemailer.createTransport({
  host, port, auth,
  authMethod: method === 'XOAUTH2' ? undefined : method,
  secure: how === 'tls', requireTLS: true, tls: { rejectUnauthorized: false }
}).sendMail({
  from: 'ada@example.org', to: 'bob@example.net', subject: 'by nodemailer', text: 'x'
}).then(() => process.exit(0), err => { console.error(err); process.exit(1) })
