//! S3: the client, and the two questions that must be put to a bucket by hand (checksums, retention).
//!
//! Trust: the roots of the system, if it has any (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured), and the public roots
//! that are built in, so that an image without certificates reaches public stores. The process uses `ring` for TLS.

use std::{sync::Once, time::Duration};

use bytes::Bytes;
use futures::{FutureExt as _, TryStreamExt as _};
use object_store::{
    Certificate, ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, AwsAuthorizer, AwsCredential, Checksum},
    client::{HttpClient, HttpConnector as _, HttpRequest, HttpRequestBody, ReqwestConnector},
    path::Path,
};

use super::{Answer, Bucket, Created, Fault, Found, Objects, Refusal, S3Keys, Safeguards, backend};

/// The longest that one request may take, the body of the largest pack included.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);
/// Most bytes of an answer that are read when a bucket is asked about itself.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Where a body with a wrong checksum is offered. Nothing should ever lie there.
const CHECKSUM_NAME: &str = "v1/probe/checksum";
/// What is offered there.
const CHECKSUM_BODY: &[u8] = b"this body must be refused: its checksum is wrong\n";
/// SHA-256 of something else: of no bytes at all, in base64.
const CHECKSUM_WRONG: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

/// A bucket, and the prefix in it.
#[derive(Debug)]
pub(super) struct S3 {
    objects: AmazonS3,
    prefix: String,
    asking: Asking,
}

impl S3 {
    pub(super) fn new(bucket: &Bucket, keys: &S3Keys) -> object_store::Result<Self> {
        let options = options(bucket)?;
        let base = bucket.base.as_str().trim_end_matches('/').to_owned();
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&bucket.name)
            .with_region(&bucket.region)
            // the base names the bucket already, which is what "virtual hosted" means to the builder
            .with_virtual_hosted_style_request(true)
            .with_endpoint(&base)
            .with_access_key_id(&keys.access_key)
            .with_secret_access_key(keys.secret_key.expose())
            .with_checksum_algorithm(Checksum::SHA256)
            .with_client_options(options.clone())
            .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() });
        if let Some(token) = &keys.session_token {
            builder = builder.with_token(token.expose());
        }
        let credential = AwsCredential {
            key_id: keys.access_key.clone(),
            secret_key: keys.secret_key.expose().to_owned(),
            token: keys.session_token.as_ref().map(|token| token.expose().to_owned()),
        };
        let http = ReqwestConnector::default().connect(&options)?;
        let asking = Asking { http, credential, region: bucket.region.clone(), base };
        Ok(Self { objects: builder.build()?, prefix: bucket.prefix.clone(), asking })
    }

    fn path(&self, name: &str) -> Path {
        Path::from(if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) })
    }

    /// Offers a body under a checksum that is not its own.
    ///
    /// A refusal that keeps the body is none: one server is known to answer 400 and to have stored it.
    async fn checksum(&self) -> Result<Found, Fault> {
        let path = self.path(CHECKSUM_NAME);
        let headers = [("x-amz-checksum-sha256", CHECKSUM_WRONG), ("if-none-match", "*")];
        let (status, _) = self.asking.ask("PUT", &format!("/{path}"), &headers, CHECKSUM_BODY).await?;
        let kept = backend::get(&self.objects, path, ANSWER_BYTES_MAX as u64).await?.is_some();
        Ok(match status {
            _ if kept => Found::No,
            400 => Found::Yes,
            _ => Found::Unknown,
        })
    }

    /// Reads the bucket's rule for new objects.
    async fn retention(&self) -> Result<Found, Fault> {
        let (status, body) = self.asking.ask("GET", "/?object-lock=", &[], b"").await?;
        Ok(match status {
            200 => Found::from(
                body.contains("<DefaultRetention>") && body.contains("<ObjectLockEnabled>Enabled<"),
            ),
            404 if body.contains("ObjectLockConfigurationNotFoundError") => Found::No,
            // not allowed to ask, not understood, not implemented: not known
            _ => Found::Unknown,
        })
    }
}

impl Objects for S3 {
    fn create<'a>(&'a self, name: &'a str, bytes: Bytes) -> Answer<'a, Created> {
        backend::create(&self.objects, self.path(name), bytes).boxed()
    }

    fn get<'a>(&'a self, name: &'a str, bytes_max: u64) -> Answer<'a, Option<Bytes>> {
        backend::get(&self.objects, self.path(name), bytes_max).boxed()
    }

    fn list<'a>(
        &'a self,
        folder: &'a str,
        after: Option<&'a str>,
        names_max: usize,
    ) -> Answer<'a, Vec<String>> {
        async move {
            let after = after.map(|after| self.path(after));
            let names = backend::list(&self.objects, self.path(folder), after, names_max).await?;
            let own = |name: &String| {
                name.strip_prefix(&self.prefix).unwrap_or(name).trim_start_matches('/').to_owned()
            };
            Ok(names.iter().map(own).collect())
        }
        .boxed()
    }

    fn safeguards(&self) -> Answer<'_, Safeguards> {
        async move {
            let (checksum, retention) = (self.checksum().await?, self.retention().await?);
            Ok(Safeguards { backend: "s3", checksum, retention })
        }
        .boxed()
    }
}

/// Requests of our own making, signed like all others.
#[derive(Debug)]
struct Asking {
    http: HttpClient,
    credential: AwsCredential,
    region: String,
    base: String,
}

impl Asking {
    /// Status and text of one answer.
    async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, &'static str)],
        body: &'static [u8],
    ) -> Result<(u16, String), Fault> {
        let request = self.request(method, path, headers, body).map_err(Fault::Refused)?;
        let answer = self.http.execute(request).await.map_err(|error| Fault::Unheard(Box::new(error)))?;
        let status = answer.status().as_u16();
        let mut text = Vec::new();
        let mut pieces = answer.into_body().bytes_stream();
        while let Some(piece) = pieces.try_next().await.map_err(|error| Fault::Unheard(Box::new(error)))? {
            text.extend_from_slice(&piece);
            if text.len() > ANSWER_BYTES_MAX {
                return Err(Fault::Large { found: text.len() as u64, most: ANSWER_BYTES_MAX as u64 });
            }
        }
        Ok((status, String::from_utf8_lossy(&text).into_owned()))
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, &'static str)],
        body: &'static [u8],
    ) -> Result<HttpRequest, Refusal> {
        let mut request = HttpRequest::new(HttpRequestBody::from(Bytes::from_static(body)));
        *request.method_mut() = method.parse()?;
        *request.uri_mut() = format!("{}{path}", self.base).parse()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse()?);
        }
        AwsAuthorizer::new(&self.credential, "s3", &self.region).try_authorize(&mut request, None)?;
        Ok(request)
    }
}

fn options(bucket: &Bucket) -> object_store::Result<ClientOptions> {
    install_tls();
    let mut options =
        ClientOptions::new().with_timeout(REQUEST_TIMEOUT).with_allow_http(bucket.base.scheme() == "http");
    for root in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        options = options.with_root_certificate(Certificate::from_der(root)?);
    }
    Ok(options)
}

/// The client panics if the process has not chosen its cryptography; whoever chose first is left alone.
fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            tracing::debug!("the process has chosen its cryptography before");
        }
    });
}
