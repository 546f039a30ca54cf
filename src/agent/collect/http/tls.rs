//! Whom we believe: the public certificate authorities and those of the configuration; and what a believed peer sent.
//!
//! It verifies nothing itself. It stands in front of rustls's verifier, which decides, and notes each chain that passed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use observance_record::Digest;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use super::RouteError;

/// Most chains that are remembered; a source has a few.
const CHAINS_MAX: usize = 256;

/// The last certificate of each chain that was believed, by its leaf; digests of both.
#[derive(Debug, Default)]
pub(super) struct Chains(Mutex<BTreeMap<Digest, Digest>>);

impl Chains {
    /// The last certificate that came with this leaf.
    pub(super) fn last(&self, leaf: &[u8]) -> Option<Digest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&Digest::of(leaf)).copied()
    }

    fn note(&self, leaf: &[u8], last: &[u8]) {
        let mut chains = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if chains.len() < CHAINS_MAX {
            chains.insert(Digest::of(leaf), Digest::of(last));
        }
    }
}

/// TLS as every source is asked by, and the chains that it will have believed.
pub(super) fn trust(extra_ca: Option<&[u8]>) -> Result<(ClientConfig, Arc<Chains>), RouteError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = extra_ca {
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|_source| RouteError::ExtraCa)?;
        if certificates.is_empty() {
            return Err(RouteError::ExtraCa);
        }
        for certificate in certificates {
            roots.add(certificate)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|_no_roots| RouteError::ExtraCa)?;
    let chains = Arc::new(Chains::default());
    let noting = Noting { inner, chains: Arc::clone(&chains) };
    // "dangerous" is any verifier of one's own; this one hands every question on and adds nothing to any answer
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(noting))
        .with_no_client_auth();
    Ok((config, chains))
}

#[derive(Debug)]
struct Noting {
    inner: Arc<WebPkiServerVerifier>,
    chains: Arc<Chains>,
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.inner.verify_server_cert(leaf, others, name, ocsp, now)?;
        self.chains.note(leaf, others.last().unwrap_or(leaf));
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
