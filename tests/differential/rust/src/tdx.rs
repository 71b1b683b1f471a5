use dcap_qvl::verify::QuoteVerifier;
use dcap_qvl::QuoteCollateralV3;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Answer, Question};

/// Intel's response bodies: this library wants the signed bytes and the signature apart.
#[derive(Deserialize)]
struct SignedTcbInfo<'a> {
    #[serde(borrow, rename = "tcbInfo")]
    body: &'a RawValue,
    signature: String,
}
#[derive(Deserialize)]
struct SignedQeIdentity<'a> {
    #[serde(borrow, rename = "enclaveIdentity")]
    body: &'a RawValue,
    signature: String,
}

/// PEM may be anything; what is no UTF-8 does not fit that library's type.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn collateral_of(question: &Question) -> Result<QuoteCollateralV3, String> {
    let malformed = |e: serde_json::Error| format!("collateral: {e}");
    let no_hex = |e: hex::FromHexError| format!("collateral: {e}");
    let tcb_info: SignedTcbInfo = serde_json::from_slice(&question.tcbinfo).map_err(malformed)?;
    let qe_identity: SignedQeIdentity =
        serde_json::from_slice(&question.qeid).map_err(malformed)?;
    Ok(QuoteCollateralV3 {
        pck_crl_issuer_chain: text(&question.pck_crl_chain),
        root_ca_crl: question.root_crl.clone(),
        pck_crl: question.pck_crl.clone(),
        tcb_info_issuer_chain: text(&question.tcb_chain),
        tcb_info: tcb_info.body.get().to_string(),
        tcb_info_signature: hex::decode(tcb_info.signature).map_err(no_hex)?,
        qe_identity_issuer_chain: text(&question.tcb_chain),
        qe_identity: qe_identity.body.get().to_string(),
        qe_identity_signature: hex::decode(qe_identity.signature).map_err(no_hex)?,
        pck_certificate_chain: None,
    })
}

pub fn examine(question: &Question) -> Answer {
    let collateral = collateral_of(question)?;
    // Service TDs are for a policy with us, so they are no question here.
    let report = QuoteVerifier::new(question.root.clone())
        .allow_service_td(true)
        .verify(&question.quote, &collateral, question.now)
        .map_err(|e| format!("{e:#}"))?;
    Ok(Some(report.status))
}
