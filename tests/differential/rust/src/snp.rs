use std::collections::HashMap;
use std::path::Path;

use sev::certs::snp::{ca, Certificate, Chain, Verifiable};
use sev::firmware::guest::AttestationReport;
use sev::parser::ByteParser;

use crate::{Answer, Question};

/// ARK and ASK or ASVK, by the question's "roots", product and kind of key: choosing them is left to the
/// caller of this library.
pub struct Roots(HashMap<(String, String, bool), ca::Chain>);

impl Roots {
    pub fn read(testdata: &Path) -> Result<Self, String> {
        let mut out = HashMap::new();
        for (name, folder) in [("amd", "snp/roots"), ("synthetic", "snp/synthetic/roots")] {
            for product in ["Milan", "Genoa", "Turin"] {
                let folder = testdata.join(folder).join(product.to_lowercase());
                let read = |file: &str| {
                    let path = folder.join(file);
                    std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))
                };
                for (file, vlek) in [("ask.der", false), ("asvk.der", true)] {
                    let chain = ca::Chain::from_der(&read("ark.der")?, &read(file)?)
                        .map_err(|e| e.to_string())?;
                    out.insert((name.to_string(), product.to_string(), vlek), chain);
                }
            }
        }
        Ok(Roots(out))
    }

    pub fn examine(&self, question: &Question) -> Answer {
        let key = (
            question.roots.clone(),
            question.product.clone(),
            question.vlek,
        );
        let ca = self.0.get(&key).ok_or("no such root")?.clone();
        let report = AttestationReport::from_bytes(&question.report).map_err(|e| e.to_string())?;
        let vek = Certificate::from_der(&question.leaf).map_err(|e| e.to_string())?;
        (&Chain { ca, vek }, &report)
            .verify()
            .map_err(|e| e.to_string())?;
        Ok(None)
    }
}
