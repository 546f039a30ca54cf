//! Names, filters and addresses with values in their places (RFC 4514, 4515, 4516).
//!
//! A value cannot leave its place: behind `=` in a name it is escaped, by itself between commas it has to be a name; in a filter it is
//! escaped wherever it stands.

use std::fmt::Write as _;

use url::Url;

use super::{
    filter::escape as in_filter,
    message::Scope,
    name::{escape as in_name, is_name},
};
use crate::collect::template::{Slot, Template, Unfilled};

/// Characters of an address that mean nothing there, beside letters and digits (RFC 3986 section 3.3).
const PLAIN: &[u8] = b"-._~!$&'()*+,;=:@|<>";

/// The name of a base.
pub(in crate::collect) fn base(
    template: &Template,
    values: &mut Vec<String>,
    look_up: impl Fn(&Slot) -> Option<String>,
) -> Result<String, Unfilled> {
    template.escaped(values, look_up, |before, value| {
        if before.ends_with('=') {
            return (!value.is_empty()).then(|| in_name(value));
        }
        let whole = before.is_empty() || before.ends_with(',');
        (whole && is_name(value)).then(|| value.to_owned())
    })
}

/// A filter.
pub(in crate::collect) fn filter(
    template: &Template,
    values: &mut Vec<String>,
    look_up: impl Fn(&Slot) -> Option<String>,
) -> Result<String, Unfilled> {
    template.escaped(values, look_up, |_, value| (!value.is_empty()).then(|| in_filter(value)))
}

/// The address of a search, by which an exchange is known; attributes are no part of it.
pub(in crate::collect) fn url(directory: &Url, (base, scope, filter): (&str, Scope, &str)) -> Option<Url> {
    let mut text = directory.as_str().trim_end_matches('/').to_owned();
    text.push('/');
    encode(&mut text, base);
    text.push_str("??");
    text.push_str(scope.as_str());
    text.push('?');
    encode(&mut text, filter);
    Url::parse(&text).ok()
}

fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) {
            out.push(char::from(byte));
        } else {
            // writing to memory does not fail
            let _written = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, value: &str) -> Result<String, Unfilled> {
        let template = Template::read(text, &[]).unwrap();
        base(&template, &mut Vec::new(), |_| Some(value.to_owned()))
    }

    #[test]
    fn a_value_in_a_name_is_a_value_or_a_name_and_nothing_else() {
        assert_eq!(filled("ou=people,{base}", "dc=example,dc=org").unwrap(), "ou=people,dc=example,dc=org");
        assert_eq!(filled("uid={a},dc=x", "ann,dc=y").unwrap(), "uid=ann\\2cdc\\3dy,dc=x");
        for (text, value) in
            [("{base}", "example"), ("ou=a{base}", "dc=x"), ("uid={a}", ""), ("{base}", "dc=x\n")]
        {
            assert!(filled(text, value).is_err(), "{text} {value}");
        }
        let template = Template::read("(|(uid={a})(cn=*))", &[]).unwrap();
        let found = filter(&template, &mut Vec::new(), |_| Some("*)(uid=*".to_owned()));
        assert_eq!(found.unwrap(), "(|(uid=\\2a\\29\\28uid=\\2a)(cn=*))");
    }

    #[test]
    fn addresses_are_those_of_the_standard() {
        let directory = Url::parse("ldaps://ldap.example:1636").unwrap();
        let address = url(&directory, ("ou=a b,dc=x", Scope::Sub, "(&(cn=é?)(m:1.2:=x))")).unwrap();
        assert_eq!(
            address.as_str(),
            "ldaps://ldap.example:1636/ou=a%20b,dc=x??sub?(&(cn=%C3%A9%3F)(m:1.2:=x))"
        );
    }
}
