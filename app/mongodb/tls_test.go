package mongodb

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tenantry/app/mongodb/mongotest"
)

// The options for TLS of a connection string are in force, and what is wrong with
// the certificates is said.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := mongotest.Shared(t, mongotest.Standalone)
	ca, stranger := newAuthority(t, "ca"), newAuthority(t, "stranger")
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{ca.issue("server")}, ClientCAs: ca.pool(), ClientAuth: tls.RequireAndVerifyClientCert,
	})
	must(t, err)
	relayFrom(t, listener, s.Address())
	client, other := ca.file("client"), stranger.file("other")
	open := func(options url.Values) error {
		options.Set("directConnection", "true")
		options.Set("serverSelectionTimeoutMS", "1500")
		r, err := OpenRegistry(context.Background(), Options{Name: "registry",
			URL: "mongodb://" + listener.Addr().String() + "/" + s.Database(t) + "?" + options.Encode()})
		if err == nil {
			err = r.Health(t.Context())
			_ = r.Close()
		}
		return err
	}
	if err := open(url.Values{"tls": {"true"}, "tlsCAFile": {ca.path}, "tlsCertificateKeyFile": {client}}); err != nil {
		t.Fatal("with the right certificates: ", err)
	}
	for name, row := range map[string]struct {
		options url.Values
		says    string
	}{
		"without TLS":           {url.Values{}, "tls=true"},
		"an unknown authority":  {url.Values{"tls": {"true"}, "tlsCertificateKeyFile": {client}}, "tlsCAFile"},
		"another authority":     {url.Values{"tls": {"true"}, "tlsCAFile": {stranger.path}, "tlsCertificateKeyFile": {client}}, "tlsCAFile"},
		"no certificate":        {url.Values{"tls": {"true"}, "tlsCAFile": {ca.path}}, "tlsCertificateKeyFile"},
		"another's certificate": {url.Values{"tls": {"true"}, "tlsCAFile": {ca.path}, "tlsCertificateKeyFile": {other}}, "tlsCertificateKeyFile"},
		"no file":               {url.Values{"tls": {"true"}, "tlsCAFile": {"nowhere.pem"}}, "nowhere.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			err := open(row.options)
			if err == nil || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "registry") {
				t.Errorf("it says %v", err)
			}
			t.Log(err)
		})
	}
}

// authority issues certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	path string // its certificate
}

func newAuthority(t *testing.T, name string) *authority {
	a := &authority{t: t, path: filepath.Join(t.TempDir(), name+".pem")}
	template := a.template(name)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	a.key = a.newKey()
	raw, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	must(t, err)
	a.cert, err = x509.ParseCertificate(raw)
	must(t, err)
	must(t, os.WriteFile(a.path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), 0o600))
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(a.t, err)
	return key
}

func (a *authority) template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func (a *authority) issue(name string) tls.Certificate {
	key := a.newKey()
	raw, err := x509.CreateCertificate(rand.Reader, a.template(name), a.cert, key.Public(), a.key)
	must(a.t, err)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// file is a certificate with its key, as a file.
func (a *authority) file(name string) string {
	c := a.issue(name)
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	must(a.t, err)
	path := filepath.Join(a.t.TempDir(), name+".pem")
	must(a.t, os.WriteFile(path, append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...), 0o600))
	return path
}
