//! Tells people what the record says: one message, one signed webhook, as often as it takes and not for ever.
//!
//! It receives values and returns values: it reads no log, decides no drift, and records nothing; that a message is owed
//! follows from the log alone (see [`outbox`]), so a delivery survives a restart.

pub mod message;
pub mod outbox;
pub mod webhook;

pub use message::{Drift, Message, Since, Word};
pub use outbox::{Due, Outbox, OutboxError, Standing};
pub use webhook::{Attempt, Delivery, Reach, Route, RouteError, TellError, Teller};
