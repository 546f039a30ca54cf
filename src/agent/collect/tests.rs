//! stub
#[derive(Debug)]
pub struct Script;
impl Script {
    pub fn answer(
        &self,
        _url: &url::Url,
        _ask: super::http::Ask<'_>,
    ) -> Result<super::http::Answer, super::http::Broken> {
        Err(super::http::Broken::Other)
    }
}
