package mongodb

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"syscall"

	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"
)

// reason is why a server cannot be reached, and what to do about it, where that
// can be told from what its connections ended with; else "".
func reason(err error) string {
	var selection topology.ServerSelectionError
	if errors.As(err, &selection) {
		for _, server := range selection.Desc.Servers {
			if why := reasonOf(server.LastError); why != "" {
				return why
			}
		}
	}
	return reasonOf(err)
}

func reasonOf(err error) string {
	var untrusted *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	var name *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &untrusted):
		if wrongHost := new(x509.HostnameError); errors.As(err, wrongHost) {
			return "Its certificate is for another host: " + wrongHost.Error() + ". Name the host in the connection string as its certificate does."
		}
		return "Its certificate is not trusted: " + untrusted.Err.Error() +
			". Name the file with the certificate of whoever issued it with tlsCAFile in the connection string."
	case errors.As(err, &plain):
		return "It does not speak TLS, which the connection string asks for. Leave tls=true out, or name the right port."
	case errors.As(err, &op) && op.Op == "remote error":
		return "It refuses the TLS connection: " + op.Err.Error() +
			". Where it asks for a certificate, name the file with this server's certificate and key with tlsCertificateKeyFile in the connection string."
	case errors.As(err, &name):
		return "The host " + name.Name + " cannot be looked up: " + name.Err + ". Check the connection string."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Nothing listens at its address. Check that it runs, and the host and port in the connection string."
	case errors.Is(err, io.EOF):
		return "It ends connections at once. Where it takes nothing but TLS, say tls=true in the connection string."
	}
	return ""
}
