package main

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-sev-guest/abi"
	"github.com/google/go-sev-guest/proto/sevsnp"
	"github.com/google/go-sev-guest/validate"
	"github.com/google/go-sev-guest/verify"
	"github.com/google/go-sev-guest/verify/trust"
)

// amdRoots holds the certificates to trust by the question's "roots" and by product.
type amdRoots map[string]map[string]*trust.ProductCerts

func readAmdRoots(testdata string) (amdRoots, error) {
	out := amdRoots{}
	for name, folder := range map[string]string{"amd": "snp/roots", "synthetic": "snp/synthetic/roots"} {
		out[name] = map[string]*trust.ProductCerts{}
		for _, product := range []string{"Milan", "Genoa", "Turin"} {
			certs := &trust.ProductCerts{}
			for file, into := range map[string]**x509.Certificate{"ark": &certs.Ark, "ask": &certs.Ask, "asvk": &certs.Asvk} {
				der, err := os.ReadFile(filepath.Join(testdata, folder, strings.ToLower(product), file+".der"))
				if err != nil {
					return nil, err
				}
				if *into, err = x509.ParseCertificate(der); err != nil {
					return nil, err
				}
			}
			out[name][product] = certs
		}
	}
	return out, nil
}

// given is a getter that has one revocation list and no network.
type given []byte

func (g given) Get(url string) ([]byte, error) {
	if strings.HasSuffix(url, "/crl") {
		return g, nil
	}
	return nil, errors.New("no network")
}

// mostPermissive allows whatever a guest policy may ask for but DEBUG, which our baseline refuses too. What
// validate demands regardless (TCB and chip of the certificate, order of TCBs) is what is asked of it here.
func mostPermissive() *validate.Options {
	return &validate.Options{
		GuestPolicy:               abi.SnpPolicy{SMT: true, MigrateMA: true, CXLAllowed: true},
		PermitProvisionalFirmware: true,
	}
}

func attestationOf(q question) (*sevsnp.Attestation, error) {
	if q.Table != nil {
		return abi.ReportCertsToProto(append(append([]byte{}, q.Report...), q.Table...))
	}
	report, err := abi.ReportToProto(q.Report)
	if err != nil {
		return nil, err
	}
	// The leaf is offered under both names; SIGNING_KEY picks one.
	return &sevsnp.Attestation{
		Report:           report,
		CertificateChain: &sevsnp.CertificateChain{VcekCert: q.Leaf, VlekCert: q.Leaf},
	}, nil
}

func (roots amdRoots) examine(q question) error {
	if err := abi.ValidateReportFormat(q.Report); err != nil {
		return err
	}
	attestation, err := attestationOf(q)
	if err != nil {
		return err
	}
	trusted := map[string][]*trust.AMDRootCerts{}
	for product, certs := range roots[q.Roots] {
		// Made anew for each question, since it remembers the revocation list of the one before.
		trusted[product] = []*trust.AMDRootCerts{{ProductLine: product, ProductCerts: certs}}
	}
	options := &verify.Options{
		CheckRevocations:    q.Crl != nil,
		DisableCertFetching: true,
		Getter:              given(q.Crl),
		Now:                 time.Unix(q.Now, 0),
		TrustedRoots:        trusted,
	}
	if err := verify.SnpAttestation(attestation, options); err != nil {
		return err
	}
	return validate.SnpAttestation(attestation, mostPermissive())
}
