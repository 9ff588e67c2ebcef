//! Wrappers for what must not reach a text: personal values and secrets.

use std::fmt;

/// A value about a person (a row key included: GDPR Art. 4(5)).
///
/// Has no `Display`; `Debug` prints the wrapper's name only.
///
/// ```compile_fail,E0277
/// # use ecluse_core::personal::Personal;
/// fn print(row: &Personal<i64>) -> String {
///     format!("{row}")
/// }
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Wraps a personal value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for code that moves or compares it; never for a message.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Unwraps the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(…)")
    }
}

/// A password, key or token. No `Display`, a silent `Debug`, no `Clone`.
///
/// ```compile_fail,E0277
/// # use ecluse_core::personal::Secret;
/// fn print(password: &Secret<String>) -> String {
///     format!("{password}")
/// }
/// ```
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a secret.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The secret itself, at the one place that needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
