//! Certificates and keys, read and checked once, at the start.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::config::{ExporterChoice, OtlpConfig, Source};
use crate::diagnostics::Diagnostic;

/// Whom to trust, and who we are, as PEM. By default the authorities that browsers trust, and nobody.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    authorities: Option<Vec<u8>>,
    identity: Option<Identity>,
}

#[derive(Clone)]
struct Identity {
    chain: Vec<u8>,
    key: Vec<u8>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("authorities", &self.authorities.is_some())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

impl Tls {
    /// Reads the files that the configuration of OTLP names.
    ///
    /// # Errors
    ///
    /// Which file cannot be used, and why.
    pub(crate) fn load(config: &OtlpConfig) -> Result<Self, Diagnostic> {
        let mut tls = Self::default();
        if let Some(path) = &config.certificate.value {
            let source = config.certificate.source;
            let bad = |reason: String| bad(source, path, &reason);
            tls.authorities = Some(read(path).map_err(bad)?);
            tls.client().map_err(bad)?;
        }
        let (certificate, key) = (&config.client_certificate, &config.client_key);
        if let (Some(path), Some(key_path)) = (&certificate.value, &key.value) {
            let bad = |reason: String| bad(certificate.source, path, &reason);
            let chain = read(path).map_err(bad)?;
            certificates(&chain).map_err(bad)?;
            let secret = |reason: String| secret(key.source, &reason);
            let key = read(&key_path.0).map_err(secret)?;
            self::key(&key).map_err(secret)?;
            tls.identity = Some(Identity { chain, key });
            // Whether the two belong together.
            tls.client().map_err(bad)?;
        }
        Ok(tls)
    }

    /// The settings of the TLS library.
    ///
    /// # Errors
    ///
    /// What is wrong with the certificates or the key.
    pub(crate) fn client(&self) -> Result<ClientConfig, String> {
        let wrong = |error: rustls::Error| error.to_string();
        let mut roots = RootCertStore::empty();
        match &self.authorities {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(authorities) => {
                for authority in certificates(authorities)? {
                    roots.add(authority).map_err(wrong)?;
                }
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(wrong)?
            .with_root_certificates(roots);
        match &self.identity {
            Some(Identity { chain, key }) => builder
                .with_client_auth_cert(certificates(chain)?, self::key(key)?)
                .map_err(wrong),
            None => Ok(builder.with_no_client_auth()),
        }
    }
}

#[cfg(any(feature = "otlp-http", feature = "jaeger"))]
impl Tls {
    /// The settings of the HTTP client. What it makes of them was checked when they were loaded.
    pub(crate) fn http(&self) -> ureq::tls::TlsConfig {
        use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};
        let certificates = |pem: &[u8]| -> Vec<Certificate<'static>> {
            let found = certificates(pem).unwrap_or_default();
            let found = found.iter();
            found
                .map(|der| Certificate::from_der(der).to_owned())
                .collect()
        };
        let roots = self.authorities.as_ref();
        let roots = roots.map(|pem| RootCerts::Specific(Arc::new(certificates(pem))));
        let identity = self.identity.as_ref().and_then(|Identity { chain, key }| {
            let key = PrivateKey::from_pem(key).ok()?;
            Some(ClientCert::new_with_certs(&certificates(chain), key))
        });
        // An application may have chosen another provider for the process; ours does not change.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(roots.unwrap_or(RootCerts::WebPki))
            .client_cert(identity)
            .build()
    }
}

#[cfg(feature = "otlp-grpc")]
impl Tls {
    /// The endpoint of the gRPC client, secured.
    ///
    /// # Errors
    ///
    /// What is wrong with the certificates or the key.
    pub(crate) fn grpc(
        &self,
        endpoint: tonic::transport::Endpoint,
    ) -> Result<tonic::transport::Endpoint, String> {
        use tonic::transport::{Certificate, ClientTlsConfig, Identity};
        let host = endpoint.uri().host().unwrap_or_default();
        let mut tls = ClientTlsConfig::new().domain_name(host.trim_matches(['[', ']']));
        tls = match &self.authorities {
            Some(authorities) => tls.ca_certificate(Certificate::from_pem(authorities)),
            None => tls.with_webpki_roots(),
        };
        if let Some(identity) = &self.identity {
            tls = tls.identity(Identity::from_pem(&identity.chain, &identity.key));
        }
        endpoint.tls_config(tls).map_err(|error| error.to_string())
    }
}

/// What is wrong with the files, for the list of bad settings.
pub(crate) fn problem(exporters: &[ExporterChoice], config: &OtlpConfig) -> Option<Diagnostic> {
    let used = exporters.contains(&ExporterChoice::Otlp) && config.endpoint.value.is_https();
    if used { Tls::load(config).err() } else { None }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| error.kind().to_string())
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err("there is no certificate in it".to_owned()),
        found => found.map_err(|error| error.to_string()),
    }
}

fn key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        pem::Error::NoItemsFound => "there is no private key in it".to_owned(),
        error => error.to_string(),
    })
}

fn bad(source: Source, path: &Path, reason: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("expected a PEM file with certificates: {reason}"));
    match source {
        Source::Variable(name) => diagnostic.found(name, &path.display().to_string()),
        Source::Code | Source::Default => diagnostic,
    }
}

/// The path of a key is not shown.
fn secret(source: Source, reason: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("expected a PEM file with a private key: {reason}"));
    match source {
        Source::Variable(name) => diagnostic.about(name),
        Source::Code | Source::Default => diagnostic,
    }
}
