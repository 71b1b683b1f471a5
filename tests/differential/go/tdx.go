package main

import (
	"crypto/x509"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-tdx-guest/validate"
	"github.com/google/go-tdx-guest/verify"
)

// collateral is a getter that answers as Intel's PCS would, from what the question gives.
type collateral struct{ q question }

func (c collateral) Get(address string) (map[string][]string, []byte, error) {
	header := func(name string, chain []byte) map[string][]string {
		return map[string][]string{name: {url.QueryEscape(string(chain))}}
	}
	switch {
	case strings.Contains(address, "/tcb?"):
		return header("Tcb-Info-Issuer-Chain", c.q.TcbChain), c.q.TcbInfo, nil
	case strings.Contains(address, "/qe/identity"):
		return header("Sgx-Enclave-Identity-Issuer-Chain", c.q.TcbChain), c.q.QeIdentity, nil
	case strings.Contains(address, "/pckcrl"):
		return header("Sgx-Pck-Crl-Issuer-Chain", c.q.PckCrlChain), c.q.PckCrl, nil
	case strings.Contains(address, "SGXRootCA"):
		return nil, c.q.RootCrl, nil
	}
	return nil, nil, errors.New("no such document: " + address)
}

func examineTdx(q question) error {
	root, err := x509.ParseCertificate(q.Root)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	err = verify.RawTdxQuote(q.Quote, &verify.Options{
		CheckRevocations: true,
		GetCollateral:    true,
		Getter:           collateral{q},
		Now:              time.Unix(q.Now, 0),
		TrustedRoots:     pool,
	})
	if err != nil {
		return err
	}
	// Without options: the bits of TDATTRIBUTES and XFAM that must be set or clear for everybody.
	return validate.RawTdxQuote(q.Quote, &validate.Options{})
}
