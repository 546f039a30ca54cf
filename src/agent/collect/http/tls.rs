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
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};

use super::RouteError;
use crate::secret::Secret;

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

/// Whom a source is believed by, and the chains that will have been.
pub(super) struct Trust {
    verifier: Arc<Noting>,
    provider: Arc<CryptoProvider>,
    /// What was believed.
    pub chains: Arc<Chains>,
}

/// The public certificate authorities, and these (PEM).
pub(super) fn trust(extra_ca: Option<&[u8]>) -> Result<Trust, RouteError> {
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
    let verifier = Arc::new(Noting { inner, chains: Arc::clone(&chains) });
    Ok(Trust { verifier, provider, chains })
}

impl Trust {
    /// TLS as every source is asked by. `own` is by what this side proves itself, where a source wants that: its certificate with
    /// those behind it, and the key (PEM).
    pub(super) fn config(&self, own: Option<(&[u8], &Secret)>) -> Result<ClientConfig, RouteError> {
        // "dangerous" is any verifier of one's own; this one hands every question on and adds nothing to any answer
        let verifier = Arc::<Noting>::clone(&self.verifier);
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let Some((certificate, key)) = own else { return Ok(config.with_no_client_auth()) };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<_, _>>()
            .map_err(|_unreadable| RouteError::Own)?;
        let key =
            PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_unreadable| RouteError::Own)?;
        config.with_client_auth_cert(chain, key).map_err(|_unfit| RouteError::Own)
    }
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
